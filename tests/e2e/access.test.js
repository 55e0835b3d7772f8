// SPDX-License-Identifier: Apache-2.0
// The door as operators and clients meet it: the binary's own `keys`, HTTPS with
// a certificate made here, and logs that tell no secrets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { get as getHttps } from 'node:https';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openEngine } from './support/engines.js';
import { run, temporaryDirectory } from './support/server.js';
import { until, within } from './support/wait.js';

const bearer = (key) => ({ Authorization: `Bearer ${key}` });

/** A certificate for localhost and 127.0.0.1 that is its own authority. */
function certificate(directory, name) {
  const pem = join(directory, `${name}.pem`);
  const key = join(directory, `${name}.key`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', pem, '-days',
    '2', '-subj', '/CN=localhost', '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
  return { pem, key };
}

describe('access', { concurrency: 1 }, () => {
  let engine;
  const cleanups = [];
  const suite = { after: (work) => cleanups.push(work) };
  before(async () => {
    engine = await openEngine(
      (process.env.EVENTWEFT_E2E_ENGINES ?? 'sqlite').split(',')[0]);
  });
  after(async () => {
    await engine?.close();
    for (const work of cleanups) work();
  });

  /** Runs a subcommand to its end. */
  async function done(args, options) {
    const process_ = run(args, options);
    const { code } = await within(args.join(' '), process_.exited);
    return { code, out: process_.stdout().trim(), err: process_.stderr() };
  }

  async function serve(store, cwd, args = [], env = {}) {
    const server = run(['serve', '--store', store, '--log-level', 'trace',
      ...args], { cwd, env });
    const said = () => server.stdout() + server.stderr();
    const url = await until('the server to listen', () => {
      if (!server.running()) throw new Error(said());
      return /listening on (https?:\/\/\S+)/.exec(said())?.[1];
    });
    cleanups.push(() => server.kill('SIGKILL'));
    return { ...server, url, said,
      async stop() {
        server.kill('SIGTERM');
        return within('the server to end', server.exited);
      } };
  }

  it('refuses to stand open beyond this machine', async () => {
    const cwd = temporaryDirectory(suite);
    const store = engine.freshUrl();
    const where = ['serve', '--listen', '0.0.0.0:0', '--store', store];
    const refused = await done(where, { cwd });
    assert.equal(refused.code, 2);
    assert.match(refused.err, /without authentication/);
    const open = await serve(store, cwd, ['--listen', '0.0.0.0:0', '--set',
      'server.insecure=true']);
    assert.match(open.said(), /without authentication/);
    await open.stop();
    assert.equal((await done(['keys', 'create', '--scope', 'admin', '--store',
      store], { cwd })).code, 0);
    const locked = await serve(store, cwd, ['--listen', '0.0.0.0:0']);
    await locked.stop();
  });

  it('locks with the first key, and tells no secrets', async () => {
    const cwd = temporaryDirectory(suite);
    const store = engine.freshUrl();
    const server = await serve(store, cwd, ['--listen', '127.0.0.1:0']);
    const ask = (path, options) => fetch(server.url + path, options);
    assert.equal((await ask('/api/v1/events')).status, 200);
    const keys = (...args) =>
      done(['keys', ...args, '--store', store], { cwd });
    const admin = (await keys('create', '--name', 'me', '--scope', 'admin')).out;
    assert.match(admin, /^ew_[0-9a-f]{16}_[0-9a-f]{64}$/);
    await until('the door to be locked', async () =>
      (await ask('/api/v1/events')).status === 401);
    assert.equal((await ask('/api/v1/events',
      { headers: bearer(admin) })).status, 200);

    const made = await (await ask('/api/v1/keys', {
      method: 'POST',
      headers: { ...bearer(admin), 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'ci', scopes: ['ingest', 'stream:all_*'] }),
    })).json();
    const sent = await ask(`/events?access_token=${made.key}`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ event_type: 'build', payload: {} }),
    });
    assert.equal(sent.status, 200);
    const wrong = made.key.slice(0, -1) + (made.key.endsWith('0') ? '1' : '0');
    assert.equal((await ask(`/events?access_token=${wrong}`,
      { method: 'POST', body: '{}' })).status, 401);

    const { ticket } = await (await ask('/api/v1/tickets', {
      method: 'POST',
      headers: { ...bearer(made.key), 'Content-Type': 'application/json' },
      body: JSON.stringify({ stream: 'all_events' }),
    })).json();
    const stream = await ask(
      `/events/stream/all_events?since=earliest&ticket=${ticket}`);
    assert.equal(stream.status, 200);
    const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const read = (async () => {
      for (;;) {
        const { done: end, value } = await reader.read();
        if (end) return text;
        text += value;
      }
    })();
    await until('the event', () => text.includes('"event_type":"build"'));
    assert.equal((await keys('revoke', made.id)).code, 0);
    assert.match(await within('the end of the stream', read), /event: end\n/);

    const list = (await keys('list')).out;
    assert.match(list, new RegExp(`${made.id}  revoked`));
    assert.ok(!list.includes(made.key.slice(20)));
    const { entries } = await (await ask('/api/v1/audit',
      { headers: bearer(admin) })).json();
    assert.deepEqual(
      entries.map((e) => `${e.action} ${e.status}`).reverse().slice(0, 3),
      ['keys create 201', 'POST /api/v1/keys 201', 'keys revoke 204']);

    const tail = await done(['tail', '--url', server.url, '--since', 'earliest',
      '--count', '1'], { env: { EVENTWEFT_TOKEN: admin } });
    assert.equal(tail.code, 0, tail.err);
    await server.stop();
    for (const secret of [admin, made.key, wrong, ticket])
      assert.ok(!server.said().includes(secret.slice(-40)));
  });

  it('speaks HTTPS, and takes up a new certificate', async () => {
    const cwd = temporaryDirectory(suite);
    const store = engine.freshUrl();
    const first = certificate(cwd, 'first');
    const second = certificate(cwd, 'second');
    const pem = join(cwd, 'hub.pem');
    const key = join(cwd, 'hub.key');
    copyFileSync(first.pem, pem);
    copyFileSync(first.key, key);
    const server = await serve(store, cwd, ['--listen', '127.0.0.1:0', '--set',
      `server.tls.certificate=${pem}`, '--set', `server.tls.key=${key}`, '--set',
      'platforms.events.allow_unsigned=true']);
    assert.match(server.url, /^https:/);
    const port = Number(new URL(server.url).port);
    const status = (ca, agent) => new Promise((resolve, reject) => {
      getHttps(`${server.url}/healthz`, { ca: readFileSync(ca), agent }, (a) => {
        a.resume();
        a.on('end', () => resolve(a.statusCode));
      }).on('error', reject);
    });
    assert.equal(await status(first.pem), 200);
    await assert.rejects(status(second.pem));

    const cli = (...args) => done([...args, '--url', server.url]);
    assert.equal((await cli('send', 'events', '--type', 'x', '--ca',
      first.pem)).code, 0);
    const tail = await cli('tail', '--since', 'earliest', '-n', '1', '--ca',
      first.pem);
    assert.equal(tail.code, 0, tail.err);
    const refused = await cli('events');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /certificate/);

    // Somebody is connected all the while.
    const old = connectTls({ port, host: '127.0.0.1',
      ca: readFileSync(first.pem), servername: 'localhost' });
    let answers = '';
    old.setEncoding('utf8').on('data', (part) => (answers += part));
    old.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('an answer', () => answers.includes('"ok"'));
    copyFileSync(second.pem, pem);
    copyFileSync(second.key, key);
    server.kill('SIGHUP');
    await until('the new certificate', () =>
      status(second.pem).catch(() => undefined));
    answers = '';
    old.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('an answer on the old connection', () =>
      answers.includes('"ok"'));
    old.destroy();
    const { code } = await server.stop();
    assert.equal(code, 0);
  });
});

// SPDX-License-Identifier: Apache-2.0
// The edge as HTTP clients see it: Node's own, and bare sockets for what it
// would not send.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { openEngine } from './support/engines.js';
import { headersOf, post, webhook } from './support/github.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { until, within } from './support/wait.js';

/** Sends bytes, collects what comes until the server closes or `enough`. */
function converse(server, bytes, enough = () => false) {
  return within('an answer', new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
      if (enough(text)) socket.destroy();
    });
    socket.on('close', () => resolve(text)).on('error', (error) =>
      text === '' ? reject(error) : resolve(text));
  }));
}

const statuses = (text) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]));

describe('HTTP', { concurrency: 1 }, () => {
  let engine;
  let server;
  const cleanups = [];
  before(async () => {
    engine = await openEngine('sqlite');
    server = await startServer({
      store: engine.freshUrl(),
      cwd: temporaryDirectory({ after: (work) => cleanups.push(work) }),
      env: { EVENTWEFT_SERVER_HEADER_TIMEOUT: '1',
        EVENTWEFT_SERVER_BODY_TIMEOUT: '1' },
    });
  });
  after(async () => {
    await server?.stop();
    await engine?.close();
    for (const work of cleanups) work();
  });

  it('knows its paths and their methods', async () => {
    const missing = await fetch(`${server.url}/nowhere`);
    assert.equal(missing.status, 404);
    const wrong = await fetch(`${server.url}/github/events`);
    assert.equal(wrong.status, 405);
    assert.match(wrong.headers.get('allow'), /POST/);
    await Promise.all([missing.text(), wrong.text()]);
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/v1/metrics']) {
      const answer = await fetch(server.url + path);
      assert.equal(answer.status, 200, path);
      await answer.text();
    }
  });

  it('takes the alias of a webhook path', async () => {
    const hook = webhook('ping', { zen: 'By another name' });
    const answer = await fetch(`${server.url}/webhooks/github`, {
      method: 'POST', headers: await headersOf(hook), body: hook.body,
    });
    assert.equal(answer.status, 200);
    assert.equal((await post(server, hook)).json.duplicate, true);
    assert.equal((await answer.json()).duplicate, false);
  });

  it('answers pipelined requests in their order', async () => {
    const hook = webhook('ping', { zen: 'In line' });
    const headers = Object.entries(await headersOf(hook))
      .map(([key, value]) => `${key}: ${value}\r\n`).join('');
    const one = `POST /github/events HTTP/1.1\r\nhost: x\r\n${headers}`
      + `content-length: ${hook.body.length}\r\n\r\n${hook.body}`;
    const text = await converse(server,
      one + one + 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n'
      + 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    assert.deepEqual(statuses(text), [200, 200, 404, 200]);
    assert.ok(text.indexOf('"duplicate":false')
      < text.indexOf('"duplicate":true'));
  });

  it('says 100 before it takes a body, and 413 instead of it', async () => {
    const hook = webhook('ping', { zen: 'May I?' });
    const headers = await headersOf(hook);
    const ask = (length) => new Promise((resolve, reject) => {
      const events = [];
      const sender = request(`${server.url}/github/events`, {
        method: 'POST',
        headers: { ...headers, expect: '100-continue',
          'content-length': length },
      });
      sender.on('continue', () => {
        events.push('continue');
        sender.end(hook.body);
      });
      sender.on('response', (response) => {
        response.resume();
        events.push(response.statusCode);
        resolve(events);
      });
      sender.on('error', reject);
      sender.flushHeaders();
    });
    assert.deepEqual(await within('200', ask(hook.body.length)),
      ['continue', 200]);
    assert.deepEqual(await within('413', ask(26 * 1024 * 1024)), [413]);
    // Without asking: refused before the body has gone over.
    const text = await converse(server,
      'POST /github/events HTTP/1.1\r\nhost: x\r\n'
      + 'content-length: 27262977\r\n\r\n{"zen":"');
    assert.deepEqual(statuses(text), [413]);
  });

  it('gives up on those that never finish', async () => {
    const head = await converse(server, 'POST /github/events HTTP/1.1\r\nhos');
    assert.deepEqual(statuses(head), [408]);
    const body = await converse(server,
      'POST /github/events HTTP/1.1\r\nhost: x\r\n'
      + 'content-length: 100\r\n\r\n{"zen"');
    assert.deepEqual(statuses(body), [408]);
  });

  it('takes what it was being sent when it is told to stop', async (t) => {
    const ending = await startServer({
      store: engine.freshUrl(), cwd: temporaryDirectory(t),
    });
    t.after(() => ending.stop());
    const hook = webhook('ping', { zen: 'Last but not least' });
    const headers = Object.entries(await headersOf(hook))
      .map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const socket = connect(ending.port, '127.0.0.1');
    t.after(() => socket.destroy());
    let text = '';
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.setEncoding('utf8').on('data', (part) => (text += part));
    socket.write(`POST /github/events HTTP/1.1\r\nhost: x\r\n${headers}`
      + `content-length: ${hook.body.length}\r\n`
      + 'expect: 100-continue\r\n\r\n');
    await until('the wish for a body', () => text.includes(' 100 '));
    socket.write(hook.body.slice(0, 5));
    const end = ending.stop();
    await until('a closed door', () => fetch(ending.url).then(
      () => false, () => true));
    socket.write(hook.body.slice(5));
    await within('the answer', closed);
    assert.deepEqual(statuses(text), [100, 200]);
    assert.deepEqual(await end, { code: 0, signal: null });
  });

  it('refuses what is not HTTP, and too much of a head', async () => {
    assert.deepEqual(statuses(await converse(server, 'nonsense\r\n\r\n')),
      [400]);
    const long = `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`;
    assert.deepEqual(statuses(await converse(server, long)), [431]);
  });

  it('counts what it has done', async () => {
    const before = await server.json('/api/v1/metrics');
    assert.equal((await post(server, webhook('ping', { zen: 'I count' })))
      .status, 200);
    const bad = webhook('ping', { zen: 'Not me' });
    assert.equal((await post(server, bad,
      { ...(await headersOf(bad)), 'x-hub-signature-256': 'sha256=0' })).status,
    401);
    // Counted when the answer has gone out, which may be a moment later.
    await until('the counters', async () => {
      const { processing } = await server.json('/api/v1/metrics');
      return processing.events_processed
          > before.processing.events_processed
        && processing.events_received > before.processing.events_received
        && processing.events_failed > before.processing.events_failed;
    });
    const text = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(text, /^# TYPE eventweft_\w+ counter$/m);
    assert.match(text, /platform="github"/);
  });
});

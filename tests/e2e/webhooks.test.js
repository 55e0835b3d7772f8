// SPDX-License-Identifier: Apache-2.0
// Webhooks out: other people's libraries verify and read them, and whatever
// happens to the hub, each event arrives at least once.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { WebSocket } from 'ws';
import { engines, openEngine } from './support/engines.js';
import { allWebhooks, post, webhook } from './support/github.js';
import { closeReaders, openWebSocket } from './support/readers.js';
import { allow, api, startReceiver } from './support/receiver.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { until, within } from './support/wait.js';

const hooks = '/streams/all_events/subscriptions';

async function subscribe(server, body, path = hooks) {
  const answer = await api(server, 'POST', path, { type: 'webhook', ...body });
  assert.equal(answer.status, 201, JSON.stringify(answer.json));
  return answer.json;
}

async function send(server, count, from = 0) {
  for (const hook of allWebhooks().slice(from, from + count))
    assert.equal((await post(server, hook)).status, 200);
}

const numbers = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

for (const name of engines)
  describe(`webhooks on ${name}`, { concurrency: 1 }, () => {
    let engine;
    const cleanups = [];
    const later = { after: (work) => cleanups.push(work) };
    before(async () => (engine = await openEngine(name)));
    after(async () => {
      await closeReaders();
      await engine?.close();
      for (const work of cleanups) work();
    });

    const start = (t, env = {}) => ({
      store: engine.freshUrl(),
      cwd: temporaryDirectory(t),
      env: { ...allow, ...env },
    });

    it('are verified by standardwebhooks', async (t) => {
      const server = await startServer(start(later));
      t.after(() => server.stop());
      const receiver = await startReceiver();
      t.after(() => receiver.stop());
      const made = await subscribe(server, { url: `${receiver.url}/v1` });
      assert.match(made.secret, /^whsec_/);
      await send(server, 40);
      await receiver.reach(40);
      const verifier = new Webhook(made.secret);
      for (const { body, headers } of receiver.requests) {
        const event = verifier.verify(body, headers);
        assert.equal(event.platform, 'github');
        assert.throws(() => verifier.verify(`${body} `, headers));
      }
      assert.equal(
        new Set(receiver.requests.map((r) => r.headers['webhook-id'])).size, 40);
      // While secrets rotate, receivers with either find theirs.
      const rotated = await api(
        server, 'PATCH', `${hooks}/${made.id}`, { rotate_secret: true });
      assert.match(rotated.json.secret, /^whsec_/);
      await send(server, 1, 40);
      await receiver.reach(41);
      const { body, headers } = receiver.requests[40];
      for (const secret of [made.secret, rotated.json.secret])
        new Webhook(secret).verify(body, headers);
      // The receiver has it before the sender knows.
      const shown = await until('all to be counted', async () => {
        const one = await api(server, 'GET', `${hooks}/${made.id}`);
        return one.json.statistics.sent >= 41 && one;
      });
      assert.equal(shown.json.secret, undefined);
      assert.equal(shown.json.statistics.sent, 41);
    });

    it('carry Ed25519 signatures that node verifies', async (t) => {
      const server = await startServer(start(later));
      t.after(() => server.stop());
      const receiver = await startReceiver();
      t.after(() => receiver.stop());
      const made = await subscribe(
        server, { url: `${receiver.url}/v1a`, signature: 'v1a' });
      assert.match(made.secret, /^whsk_/);
      await send(server, 1);
      await receiver.reach(1);
      const { body, headers } = receiver.requests[0];
      const [version, signature] = headers['webhook-signature'].split(',');
      assert.equal(version, 'v1a');
      const raw = Buffer.from(made.secret.slice(5), 'base64').subarray(32);
      const key = createPublicKey({
        key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
        format: 'jwk',
      });
      const text =
        `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      assert.ok(verify(
        null, Buffer.from(text), key, Buffer.from(signature, 'base64')));
    });

    it('are CloudEvents in the strict eyes of the SDK', async (t) => {
      const server = await startServer(start(later));
      t.after(() => server.stop());
      const receiver = await startReceiver();
      t.after(() => receiver.stop());
      await subscribe(
        server, { url: `${receiver.url}/ce`, format: 'cloudevents' });
      await send(server, 40);
      await receiver.reach(40);
      for (const { body, headers } of receiver.requests) {
        const event = HTTP.toEvent({ headers, body });
        assert.ok(event.validate());
        assert.match(event.type, /^github\./);
      }
    });

    it('are tried again, ordered where asked, and noted', async (t) => {
      const server = await startServer(start(later, {
        EVENTWEFT_WEBHOOKS_RETRY_SCHEDULE: '1s 1s 1s',
      }));
      t.after(() => server.stop());
      const failed = new Set();
      const receiver = await startReceiver(({ body }) => {
        const { seq } = JSON.parse(body);
        if (seq % 3 !== 0 || failed.has(seq)) return 200;
        failed.add(seq);
        return 500;
      });
      t.after(() => receiver.stop());
      const made = await subscribe(
        server, { url: `${receiver.url}/o`, ordered: true });
      await send(server, 6);
      await until('all six', () => receiver.seqs('/o').at(-1) === 6 &&
        receiver.requests.length === 8);
      assert.deepEqual(receiver.seqs('/o'), [1, 2, 3, 3, 4, 5, 6, 6]);
      const noted = await until('eight rows', async () => {
        const answer =
          await api(server, 'GET', `${hooks}/${made.id}/deliveries`);
        return answer.json.deliveries.length === 8 && answer.json.deliveries;
      });
      assert.deepEqual(
        noted.map((row) => row.status).filter((s) => s === 'pending').length, 2);
      assert.equal(noted.find((row) => row.status === 'pending')
        .response_body, 'said 500');
    });

    it('refuse private addresses unless they are allowed', async (t) => {
      const server = await startServer(
        start(later, { EVENTWEFT_WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'false' }));
      t.after(() => server.stop());
      for (const url of [
        'http://127.0.0.1/', 'http://localhost/', 'http://[::1]/',
        'http://169.254.169.254/latest/', 'http://10.0.0.1/', 'http://0.0.0.0/',
        'http://2130706433/', 'http://0x7f000001/', 'http://[::ffff:127.0.0.1]/',
        'ftp://example.com/', 'http://user:pw@example.com/',
      ]) {
        const answer = await api(
          server, 'POST', hooks, { type: 'webhook', url });
        assert.equal(answer.status, 422, `${url} ${JSON.stringify(answer.json)}`);
      }
    });

    it('are tested, paused, replayed and given up on', async (t) => {
      const server = await startServer(start(later, {
        EVENTWEFT_WEBHOOKS_RETRY_SCHEDULE: '1s',
      }));
      t.after(() => server.stop());
      let status = 200;
      const receiver = await startReceiver(() => status);
      t.after(() => receiver.stop());
      const made = await subscribe(server, { url: `${receiver.url}/x` });
      const path = `${hooks}/${made.id}`;
      const tested = await api(server, 'POST', `${path}/test`);
      assert.equal(tested.json.delivered, true);
      new Webhook(made.secret).verify(
        receiver.requests[0].body, receiver.requests[0].headers);
      receiver.requests.length = 0;

      await api(server, 'PATCH', path, { active: false });
      await send(server, 3);
      const seen = await api(server, 'GET', path);
      assert.equal(seen.json.statistics.state, 'paused');
      assert.equal(receiver.requests.length, 0);
      await api(server, 'PATCH', path, { active: true });
      await receiver.reach(3);

      const dry = await api(server, 'POST', `${path}/replay`,
        { since: 'earliest', dry_run: true });
      assert.equal(dry.json.matched, 3);
      const ids = receiver.requests.map((r) => r.headers['webhook-id']);
      const again = await api(server, 'POST', `${path}/replay`,
        { since: 'earliest' });
      assert.equal(again.status, 202);
      await receiver.reach(6);
      assert.deepEqual(
        receiver.requests.slice(3).map((r) => r.headers['webhook-id']).sort(),
        ids.toSorted());

      status = 500;
      await send(server, 1, 3);
      const letter = await until('a dead letter', async () => {
        const all = await server.json('/api/v1/dead-letters');
        return all.dead_letters.find(
          (x) => x.origin === `subscription:${made.id}`);
      });
      assert.equal(letter.attempts, 2);
      status = 200;
      receiver.requests.length = 0;
      const retried =
        await api(server, 'POST', `/dead-letters/${letter.id}/retry`);
      assert.equal(retried.status, 200, JSON.stringify(retried.json));
      await receiver.reach(1);
      assert.deepEqual(receiver.seqs('/x'), [4]);
      const left = await server.json('/api/v1/dead-letters');
      assert.equal(left.dead_letters.length, 0);

      status = 410;
      await send(server, 1, 4);
      await until('it to be switched off', async () =>
        (await api(server, 'GET', path)).json.disabled_reason);
      assert.equal(
        (await api(server, 'GET', path)).json.statistics.state, 'disabled');
      assert.equal((await api(server, 'DELETE', path)).status, 204);
      assert.equal((await api(server, 'GET', path)).status, 404);
    });

    it('streams are made, changed and deleted under their readers', async (t) => {
      const server = await startServer(start(later));
      t.after(() => server.stop());
      const made = await api(server, 'POST', '/streams', {
        name: 'mine', description: 'd', filter: { event_types: ['ping'] },
      });
      assert.equal(made.status, 201);
      assert.equal(
        (await api(server, 'DELETE', '/streams/all_events')).status, 409);
      const socket = await openWebSocket(server, 'mine');
      await post(server, webhook('ping', { zen: 'a' }));
      await post(server, webhook('push', { ref: 'a' }));
      await socket.reach(1);
      const changed = await api(server, 'PATCH', '/streams/mine',
        { filter: { event_types: ['push'] } });
      assert.equal(changed.status, 200);
      await until('the new filter to be in force', async () => {
        await post(server, webhook('push', { ref: 'b' }));
        return socket.seqs.length > 1;
      });
      // What it shows from here on, and nothing twice.
      const hidden = await post(server, webhook('ping', { zen: 'b' }));
      const seen = await post(server, webhook('push', { ref: 'c' }));
      await until('the last one', () => socket.seqs.includes(seen.json.seq));
      assert.ok(!socket.seqs.includes(hidden.json.seq));
      assert.deepEqual(socket.seqs.filter((seq) => seq <= 2), [1]);
      socket.seqs.forEach((seq, i) =>
        assert.ok(i === 0 || seq > socket.seqs[i - 1]));
      const shown = await api(server, 'GET', '/streams/mine');
      assert.equal(shown.json.statistics.readers, 1);
      assert.equal((await api(server, 'DELETE', '/streams/mine')).status, 204);
      const { code } = await within('the socket to close', socket.closed);
      assert.equal(code, 1000);
      assert.equal((await api(server, 'GET', '/streams/mine')).status, 404);
      await new Promise((resolve) =>
        new WebSocket(`${server.ws}/ws/events/mine`).once('error', resolve));
    });
  });

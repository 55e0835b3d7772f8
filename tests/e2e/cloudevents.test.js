// SPDX-License-Identifier: Apache-2.0
// CloudEvents in and out, with the CloudEvents project's own SDK on both ends.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import { WebSocket } from 'ws';
import { openEngine } from './support/engines.js';
import { allWebhooks, post } from './support/github.js';
import { startServer, temporaryDirectory, withoutThreads } from './support/server.js';
import { until, within } from './support/wait.js';

const token = 'e2e-token-of-a-custom-sender';

describe('CloudEvents', { concurrency: 1 }, () => {
  let engine;
  let server;
  let reader;
  const texts = [];
  const cleanups = [];

  before(async () => {
    engine = await openEngine('sqlite');
    server = await startServer({
      store: engine.freshUrl(),
      cwd: temporaryDirectory({ after: (work) => cleanups.push(work) }),
      env: { EVENTWEFT_PLATFORMS_EVENTS_TOKENS: token },
      args: withoutThreads,
    });
    reader = new WebSocket(
      `${server.ws}/ws/events/all_events`, 'cloudevents.json');
    reader.on('message', (data) => texts.push(data.toString('utf8')));
    await within('the websocket to open',
      new Promise((resolve, reject) =>
        reader.once('open', resolve).once('error', reject)));
    assert.equal(reader.protocol, 'cloudevents.json');
  });
  after(async () => {
    reader?.terminate();
    await server?.stop();
    await engine?.close();
    for (const work of cleanups) work();
  });

  /** What the SDK reads out of the next messages; it checks them. */
  async function next(count) {
    await until(`${count} messages`, () => texts.length >= count);
    return texts.splice(0, count).map((body) => {
      const event = HTTP.toEvent({
        headers: { 'content-type': 'application/cloudevents+json' }, body,
      });
      event.validate();
      return event;
    });
  }

  async function send({ headers, body }) {
    const answer = await fetch(`${server.url}/events`, {
      method: 'POST', body,
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  }

  const example = (id, data) => new CloudEvent({
    id, source: '/e2e/shop', type: 'org.example.order.paid',
    subject: 'order-7', time: '2026-01-31T12:00:00.000Z', data,
  });

  it('come in structured, binary and batched', async () => {
    const data = { order: 7, text: 'näh, "quoted" 😀', list: [1, 2.5, null] };
    await send(HTTP.structured(example('structured-1', data)));
    await send(HTTP.binary(example('binary-1', data)));
    const results = await send({
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify([example('batch-1', data), example('batch-2', data)]),
    });
    assert.equal(results.length, 4 - 2);
    for (const event of await next(4)) {
      assert.deepEqual(event.data, data);
      assert.match(event.type, /org\.example\.order\.paid$/);
    }
    // The same source and id are the same event, whatever the mode.
    const again = await send(HTTP.binary(example('structured-1', data)));
    assert.equal(again.duplicate, true);
  });

  it('are refused without the token, and when they are none', async () => {
    const { headers, body } = HTTP.structured(example('refused-1', {}));
    const stranger = await fetch(
      `${server.url}/events`, { method: 'POST', headers, body });
    assert.equal(stranger.status, 401);
    await stranger.text();
    const { type, ...without } = JSON.parse(body);
    assert.ok(type);
    const broken = await fetch(`${server.url}/events`, {
      method: 'POST', body: JSON.stringify(without),
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    assert.ok([400, 422].includes(broken.status));
    assert.match((await broken.json()).detail, /type/);
  });

  it('are what every webhook can be read as', async () => {
    const hooks = allWebhooks();
    for (const hook of hooks)
      assert.equal((await post(server, hook)).status, 200);
    const events = await next(hooks.length);
    events.forEach((event, index) => {
      const hook = hooks[index];
      assert.deepEqual(event.data, JSON.parse(hook.body));
      assert.equal(event.specversion, '1.0');
      assert.match(event.source, /^\/github/);
      assert.ok(event.type.startsWith(`github.${hook.name}`), event.type);
    });
    assert.equal(new Set(events.map((event) => event.id)).size, hooks.length);
  });
});

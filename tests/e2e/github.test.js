// SPDX-License-Identifier: Apache-2.0
// Every example payload, as GitHub would send it, through the real binary to
// real clients, byte for byte.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { engines, openEngine } from './support/engines.js';
import { allWebhooks, headersOf, post, webhook } from './support/github.js';
import {
  closeReaders, headOf, openEventSource, openWebSocket, payloadText, wholeLog,
} from './support/readers.js';
import { startServer, temporaryDirectory, withoutThreads } from './support/server.js';

/** What arrived is what was sent, in the order of the answers. */
function assertSame(messages, sent) {
  assert.equal(messages.length, sent.length);
  messages.forEach(({ text, event }, index) => {
    const { hook, answer } = sent[index];
    assert.equal(event.seq, answer.seq);
    assert.equal(event.id, answer.id);
    assert.equal(event.event_id, hook.delivery);
    assert.equal(event.platform, 'github');
    assert.equal(event.event_type, hook.type);
    assert.equal(payloadText(text), hook.body, `payload of ${hook.type}`);
  });
}

for (const name of engines)
  describe(`GitHub's examples on ${name}`, { concurrency: 1 }, () => {
    let engine;
    let server;
    const cleanups = [];
    const scope = { after: (work) => cleanups.push(work) };
    const sent = [];
    const live = {};

    before(async () => {
      engine = await openEngine(name);
      server = await startServer({
        store: engine.freshUrl(),
        cwd: temporaryDirectory(scope),
        args: withoutThreads,
      });
      live.ws = await openWebSocket(server, 'all_events');
      live.sse = await openEventSource(server, 'all_events');
    });
    after(async () => {
      await closeReaders();
      const end = await server?.stop();
      await engine?.close();
      for (const work of cleanups) work();
      if (end) assert.deepEqual(end, { code: 0, signal: null });
    });

    it('stores each once, numbered without a hole', async () => {
      for (const hook of allWebhooks()) {
        const answer = await post(server, hook);
        assert.equal(answer.status, 200, JSON.stringify(answer.json));
        assert.equal(answer.json.duplicate, false);
        assert.equal(answer.json.seq, sent.length + 1);
        sent.push({ hook, answer: answer.json });
      }
      assert.ok(sent.length > 300, 'the examples are missing');
    });

    it('has shown them live to a WebSocket and an EventSource', async () => {
      assertSame(await live.ws.reach(sent.length), sent);
      assertSame(await live.sse.reach(sent.length), sent);
      assert.deepEqual(live.sse.ids, sent.map(({ answer }) => `${answer.seq}`));
    });

    it('answers a redelivery with the first one', async () => {
      for (const { hook, answer } of [sent[0], sent.at(-1)]) {
        const again = await post(server, hook);
        assert.equal(again.status, 200);
        assert.deepEqual(
          { id: again.json.id, seq: again.json.seq, dup: again.json.duplicate },
          { id: answer.id, seq: answer.seq, dup: true },
        );
      }
      assert.equal(await headOf(server), sent.length);
    });

    it('keeps the bytes of unusual but valid JSON', async () => {
      const bodies = [
        '{ "zen" : "spaces",\n  "b": 1,\n\t"a": [ 1.0, 1e2, -0 ] }',
        '{"zen":"big","n":12345678901234567890123,"f":1.10}',
        '{"zen":"\\u0000 and \\ud800 alone","z":"é😀","\\u0061":"\\/"}',
        '{"action":"opened","zen":"twice","zen":"the same key"}',
      ];
      for (const body of bodies) {
        const hook = webhook('ping', body);
        const answer = await post(server, hook);
        assert.equal(answer.status, 200, JSON.stringify(answer.json));
        sent.push({ hook, answer: answer.json });
      }
      assertSame(await live.ws.reach(sent.length), sent);
      assertSame(await live.sse.reach(sent.length), sent);
    });

    it('takes a form-encoded body, signed over its raw bytes', async () => {
      const inner = webhook('push', { ref: 'refs/heads/main', text: 'a&b=c +d' });
      const form = { ...inner, body: `payload=${encodeURIComponent(inner.body)}` };
      const answer = await post(server, form, {
        ...(await headersOf(form)),
        'content-type': 'application/x-www-form-urlencoded',
      });
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      sent.push({ hook: inner, answer: answer.json });
      assertSame(await live.ws.reach(sent.length), sent);
    });

    it('shows the same to readers that come late', async () => {
      const middle = sent[Math.floor(sent.length / 2)].answer.seq;
      const readers = [
        [await openWebSocket(server, 'all_events', { since: 'earliest' }), 0],
        [await openEventSource(server, 'all_events', { since: 'earliest' }), 0],
        [await openWebSocket(server, 'all_events', { since: middle }), middle],
        [await openEventSource(server, 'all_events', {}, middle), middle],
      ];
      for (const [reader, since] of readers) {
        await reader.reachSeq(sent.at(-1).answer.seq);
        assertSame(reader.messages, sent.slice(since));
        await reader.kill();
      }
      const log = await wholeLog(server);
      assert.deepEqual(
        log.map((event) => event.id),
        sent.map(({ answer }) => answer.id),
      );
      const one = await server.json(`/api/v1/events/${sent[0].answer.id}`);
      assert.deepEqual(one.payload, JSON.parse(sent[0].hook.body));
    });

    it('gives a stream and a filter only what they ask for', async () => {
      const ofPulls = sent.filter(({ hook }) =>
        /^pull_request/.test(hook.name));
      const opened = sent.filter(({ hook }) =>
        ['pull_request:opened', 'issues:opened'].includes(hook.type));
      assert.ok(ofPulls.length > 10 && opened.length > 1);
      const filter = JSON.stringify({
        event_types: ['pull_request:opened', 'issues:opened'],
      });
      const since = 'earliest';
      const readers = [
        [await openWebSocket(server, 'pr_events', { since }), ofPulls],
        [await openEventSource(server, 'pr_events', { since }), ofPulls],
        [await openWebSocket(server, 'all_events', { since, filter }), opened],
        [await openEventSource(server, 'all_events', { since, filter }), opened],
        [await openEventSource(server, 'github_events',
          { since, event_types: 'pull_request:opened,issues:opened' }), opened],
      ];
      for (const [reader, wanted] of readers)
        assertSame(await reader.reach(wanted.length), wanted);
      // One more event for each: nothing else came before it.
      const hook = webhook('pull_request', { action: 'opened', number: 1 });
      const answer = await post(server, hook);
      sent.push({ hook, answer: answer.json });
      for (const [reader, wanted] of readers) {
        const all = [...wanted, sent.at(-1)];
        assertSame(await reader.reach(all.length), all);
        await reader.kill();
      }
    });

    it('refuses what is not genuine or not readable', async () => {
      const head = await headOf(server);
      const hook = webhook('ping', { zen: 'Mind your words' });
      const good = await headersOf(hook);
      const without = (key) => {
        const { [key]: _, ...rest } = good;
        return rest;
      };
      const forged = 'sha256='.padEnd(71, '0');
      const cases = [
        [401, hook, { ...good, 'x-hub-signature-256': forged }],
        [401, hook, without('x-hub-signature-256')],
        [401, { ...hook, body: `${hook.body} ` }, good],
        [400, hook, without('x-github-event')],
        [400, hook, without('x-github-delivery')],
      ];
      for (const body of ['{"zen":', '', '{"zen":"\\q"}', '[1,2']) {
        const broken = { ...hook, body };
        cases.push([400, broken, await headersOf(broken)]);
      }
      for (const [status, bad, headers] of cases) {
        const answer = await post(server, bad, headers);
        assert.equal(answer.status, status, `${bad.body}: ${answer.status}`);
        assert.match(answer.type, /^application\/problem\+json/);
        assert.equal(answer.json.status, status);
        assert.ok(answer.json.detail || answer.json.title);
      }
      assert.equal(await headOf(server), head);
    });
  });

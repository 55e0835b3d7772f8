// SPDX-License-Identifier: Apache-2.0
// What readers can do besides reading: change their minds, fall behind, wait
// for something that never comes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { engines, openEngine } from './support/engines.js';
import { post, webhook } from './support/github.js';
import { closeReaders, openEventSource, openWebSocket } from './support/readers.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { until, within } from './support/wait.js';

// A sanitizer's own book-keeping: red zones, shadow memory, quarantine.
const memoryFactor = Number(process.env.EVENTWEFT_E2E_MEMORY_FACTOR ?? 1);

async function send(server, name, payload) {
  const answer = await post(server, webhook(name, payload));
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  return answer.json.seq;
}

const opened = { action: 'opened', number: 1 };
const residentMiB = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`))[1]) / 1024;

for (const name of engines)
  describe(`streams on ${name}`, { concurrency: 1 }, () => {
    let engine;
    let server;
    const cleanups = [];
    before(async () => {
      engine = await openEngine(name);
      server = await startServer({
        store: engine.freshUrl(),
        cwd: temporaryDirectory({ after: (work) => cleanups.push(work) }),
        env: {
          EVENTWEFT_STREAMING_PING_INTERVAL: '1',
          // What live readers share is not what this suite weighs.
          EVENTWEFT_STREAMING_RING_BYTES: `${4 << 20}`,
          // A reader that takes nothing for so long is given up. Ours does so
          // while 100 MB are sent.
          EVENTWEFT_STREAMING_PONG_TIMEOUT: '600',
        },
      });
    });
    after(async () => {
      await closeReaders();
      await server?.stop();
      await engine?.close();
      for (const work of cleanups) work();
    });

    it('lets a WebSocket change its filter without a gap', async () => {
      const reader = await openWebSocket(server, 'all_events');
      const wanted = [await send(server, 'ping', { zen: 'one' })];
      await reader.reach(1);
      reader.send({ filter: { event_types: ['issues'] } });
      // The filter is in force when nothing but issues comes; an event on
      // either side of the change may be seen or not.
      await until('the new filter', async () => {
        const before = reader.messages.length;
        await send(server, 'ping', { zen: 'not wanted' });
        const seq = await send(server, 'issues', opened);
        await reader.reachSeq(seq);
        return reader.messages.length === before + 1;
      });
      const from = reader.messages.length;
      reader.send({ ack: reader.last });
      await send(server, 'ping', { zen: 'not wanted' });
      wanted.push(await send(server, 'issues', opened));
      await reader.reachSeq(wanted.at(-1));
      assert.deepEqual(reader.seqs.slice(from), wanted.slice(1));
      await reader.kill();
    });

    it('lets a WebSocket pause and go on', async () => {
      const reader = await openWebSocket(server, 'all_events');
      const seqs = [await send(server, 'ping', { zen: 'before' })];
      await reader.reach(1);
      reader.send({ pause: true });
      // A bad message is answered, and answered after the pause was seen.
      reader.send({ nonsense: 1 });
      await until('the answer to a bad message', () =>
        reader.notes.some((note) => 'error' in note));
      for (let i = 0; i < 50; ++i)
        seqs.push(await send(server, 'ping', { zen: 'meanwhile', i }));
      assert.deepEqual(reader.seqs, seqs.slice(0, 1));
      reader.send({ resume: true });
      await reader.reach(seqs.length);
      assert.deepEqual(reader.seqs, seqs);
      await reader.kill();
    });

    it('refuses what it cannot stream', async () => {
      for (const [path, status] of [
        ['/events/stream/no_such_stream', 404],
        ['/events/stream/all_events?since=yesterday', 400],
        ['/events/stream/all_events?filter={"colour":"blue"}', 422],
        ['/events/stream/all_events?filter={', 400],
      ]) {
        const answer = await fetch(server.url + path);
        const text = await answer.text();
        assert.ok([status, 400].includes(answer.status), `${path}: ${text}`);
        assert.match(answer.headers.get('content-type'), /problem\+json/);
      }
      await assert.rejects(openWebSocket(server, 'no_such_stream'), /404/);
    });

    it('moves the cursor of a reader that nothing matches', async () => {
      const filter = JSON.stringify({ event_types: ['never'] });
      const socket = await openWebSocket(server, 'all_events', { filter });
      let cursor = 0;
      socket.socket.on('ping', (data) => (cursor = Number(data.toString())));
      const stream = await fetch(
        `${server.url}/events/stream/all_events?event_types=never`);
      const chunks = stream.body.getReader();
      const seq = await send(server, 'ping', { zen: 'nobody listens' });
      let text = '';
      await within('an id without an event', (async () => {
        const decoder = new TextDecoder();
        while (!text.includes(`id: ${seq}\n`) && !text.includes(`id:${seq}\n`))
          text += decoder.decode((await chunks.read()).value);
      })());
      assert.ok(!text.includes('data:'), text);
      await chunks.cancel();
      await until('a ping with the cursor', () => cursor >= seq);
      await socket.kill();
    });

    it('keeps a slow reader bounded and loses nothing of it', async () => {
      const slow = await openWebSocket(server, 'all_events');
      const quick = await openEventSource(server, 'all_events');
      slow.socket.pause();
      await send(server, 'ping', { zen: 'warm' });
      const filler = 'x'.repeat(50_000);
      const before = residentMiB(server.pid);
      const seqs = [];
      // 100 MB, of which the kernel's socket buffers take a few.
      for (let i = 0; i < 2_000; i += 20)
        seqs.push(...await Promise.all(Array.from({ length: 20 }, (_, k) =>
          send(server, 'ping', { zen: 'much', number: i + k, filler }))));
      const last = Math.max(...seqs);
      await quick.reachSeq(last);
      const grown = residentMiB(server.pid) - before;
      // The latest events (4 MiB, and their texts) and one reader's buffer
      // (1 MiB), with room for what is in flight and for the allocator; and the
      // pages that SQLite keeps, 32 MiB for each connection: the writer's, and
      // one that reads where the quick one has to catch up.
      const pages = name === 'sqlite' ? 2 * 32 : 0;
      assert.ok(grown < (40 + pages) * memoryFactor,
        `the server grew by ${grown.toFixed(0)} MiB`);
      slow.socket.resume();
      await slow.reachSeq(last);
      assert.deepEqual(slow.seqs, quick.seqs);
      const live = await send(server, 'ping', { zen: 'live again' });
      await slow.reachSeq(live);
      await slow.kill();
      await quick.kill();
    });
  });

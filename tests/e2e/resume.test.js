// SPDX-License-Identifier: Apache-2.0
// Readers that come back see neither a gap nor a double, whoever went away.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { engines, openEngine } from './support/engines.js';
import { allWebhooks, post } from './support/github.js';
import { closeReaders, openEventSource, openWebSocket } from './support/readers.js';
import { run, startServer, temporaryDirectory, withoutThreads } from './support/server.js';
import { until, within } from './support/wait.js';

const numbers = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Sends `count` examples; none may be refused. */
async function send(server, count) {
  for (const hook of allWebhooks().slice(0, count)) {
    const answer = await post(server, hook);
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
  }
}

for (const name of engines)
  describe(`resuming on ${name}`, { concurrency: 1 }, () => {
    let engine;
    before(async () => (engine = await openEngine(name)));
    after(async () => {
      await closeReaders();
      await engine?.close();
    });

    it('goes on after the client was killed', async (t) => {
      const server = await startServer({
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
        args: withoutThreads,
      });
      t.after(() => server.stop());
      const total = 200;
      const sending = send(server, total);
      for (const open of [
        (since) => openWebSocket(server, 'all_events', { since }),
        (since) => since === 'earliest'
          ? openEventSource(server, 'all_events', { since })
          : openEventSource(server, 'all_events', {}, since),
      ]) {
        const seen = [];
        let since = 'earliest';
        for (let part = 1; seen.length < total; ++part) {
          const reader = await open(since);
          await reader.reach(Math.min(7 * part, total - seen.length));
          await reader.kill();
          seen.push(...reader.seqs);
          since = seen.at(-1);
        }
        assert.deepEqual(seen, numbers(1, total));
      }
      await sending;
    });

    it('goes on after kill -9 of the server', async (t) => {
      const start = {
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
        args: withoutThreads,
      };
      let server = await startServer(start);
      t.after(() => server.stop());
      const events = await openEventSource(server, 'all_events');
      t.after(() => events.kill());
      const socket = await openWebSocket(server, 'all_events');
      await send(server, 60);
      await server.crash();
      await within('the socket to close', socket.closed);

      server = await startServer({ ...start, port: server.port });
      await send(server, 60);
      // `eventsource` finds back by itself, with the last id it saw.
      await events.reachSeq(120);
      assert.ok(events.opens >= 2);
      assert.deepEqual(events.seqs, numbers(1, 120));
      const again = await openWebSocket(
        server, 'all_events', { since: socket.last });
      await again.reachSeq(120);
      assert.deepEqual([...socket.seqs, ...again.seqs], numbers(1, 120));
      await again.kill();
    });

    it('lets `eventweft tail` go on by itself', async (t) => {
      const start = {
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
        args: withoutThreads,
      };
      let server = await startServer(start);
      t.after(() => server.stop());
      await send(server, 5);
      const tail = run(
        ['tail', '--json', '--since', 'earliest', '--url', server.url]);
      t.after(() => tail.kill('SIGKILL'));
      const seqs = () => {
        const lines = tail.stdout().split('\n');
        lines.pop(); // not ended yet
        return lines.filter(Boolean).map((line) => JSON.parse(line).seq);
      };
      const reached = (count) =>
        until(`${count} lines of tail`, () => {
          if (!tail.running()) throw new Error(`it ended: ${tail.stderr()}`);
          return seqs().length >= count;
        });
      await reached(5);
      await server.crash();
      server = await startServer({ ...start, port: server.port });
      await send(server, 20);
      await reached(25);
      assert.deepEqual(seqs(), numbers(1, 25));
      tail.kill('SIGINT');
      await within('tail to end', tail.exited);
    });
  });

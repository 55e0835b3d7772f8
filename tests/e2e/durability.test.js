// SPDX-License-Identifier: Apache-2.0
// Acknowledged means durable: processes are killed under load, again and
// again, and every event that got a 2xx is in the log, once, without a hole.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { engines, openEngine } from './support/engines.js';
import { Load } from './support/load.js';
import {
  closeReaders, headOf, openEventSource, openWebSocket,
} from './support/readers.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { until, within } from './support/wait.js';

const rounds = Number(process.env.EVENTWEFT_E2E_ROUNDS ?? 10);
/** Answers that must come between one blow and the next. */
const progress = 100;

const moreAnswers = (load, count) => {
  const goal = load.count + count;
  return until(`${count} more acknowledged events`, () => load.count >= goal);
};

for (const name of engines)
  describe(`durability on ${name}`, { concurrency: 1 }, () => {
    let engine;
    before(async () => (engine = await openEngine(name)));
    after(async () => {
      await closeReaders();
      await engine?.close();
    });

    it(`survives kill -9 of the server, ${rounds} rounds`, async (t) => {
      const start = {
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
      };
      let server = await startServer(start);
      t.after(() => server.stop());
      const load = new Load(() => [server]);
      t.after(() => load.stop());
      for (let round = 0; round < rounds; ++round) {
        await moreAnswers(load, progress);
        await server.crash();
        server = await startServer({ ...start, port: server.port });
      }
      await moreAnswers(load, progress);
      await load.stop();
      const log = await load.verify(server);
      t.diagnostic(`${load.count} acknowledged, ${log.length} stored, `
        + `${load.repeats} sent again`);
    });

    it('ends on SIGTERM with every promise kept', async (t) => {
      const start = {
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
      };
      let server = await startServer(start);
      t.after(() => server.stop());
      const socket = await openWebSocket(server, 'all_events');
      const events = await openEventSource(server, 'all_events');
      t.after(() => events.kill());
      const load = new Load(() => [server]);
      t.after(() => load.stop());
      await moreAnswers(load, progress);
      await until('live events', () => socket.last > 0 && events.last > 0);
      const end = await server.stop();
      assert.deepEqual(end, { code: 0, signal: null }, server.said());
      const { code } = await within('the socket to close', socket.closed);
      assert.equal(code, 1001);
      await load.stop();

      server = await startServer({ ...start, port: server.port });
      const rest = await openWebSocket(
        server, 'all_events', { since: socket.last });
      t.after(() => rest.kill());
      // The socket may have had all there was before it was closed; what
      // comes now is surely left for the one that resumes.
      const later = new Load(() => [server]);
      t.after(() => later.stop());
      await moreAnswers(later, 1);
      await later.stop();
      await later.verify(server);
      const log = await load.verify(server);
      // Clients find back and miss nothing.
      await events.reachSeq(log.length);
      assert.deepEqual(events.seqs, log.map((event) => event.seq));
      await rest.reachSeq(log.length);
      assert.deepEqual(
        [...socket.seqs, ...rest.seqs], log.map((event) => event.seq));
    });

    if (name !== 'postgres') return;

    it('is not ok before PostgreSQL has answered', async (t) => {
      const store = engine.freshUrl();
      await engine.server.crash('SIGQUIT');
      let there = false;
      t.after(() => there || engine.server.start());
      const server = await startServer({
        store, cwd: temporaryDirectory(t),
        env: { EVENTWEFT_STORE_RETRY_MAX: '1' },
      });
      t.after(() => server.stop());
      const ready = async () =>
        (await (await fetch(`${server.url}/readyz`)).json()).status;
      assert.equal(await ready(), 'degraded');
      await engine.server.start();
      there = true;
      // Without an event that would find it out.
      await until('readiness', async () => (await ready()) === 'ok');
    });

    it('survives the death of PostgreSQL by way of the spool', async (t) => {
      const server = await startServer({
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
        env: { EVENTWEFT_STORE_RETRY_MAX: '1' },
      });
      t.after(() => server.stop());
      const events = await openEventSource(server, 'all_events');
      t.after(() => events.kill());
      const load = new Load(() => [server]);
      t.after(() => load.stop());
      const blows = Math.max(2, Math.ceil(rounds / 4));
      for (let round = 0; round < blows; ++round) {
        await moreAnswers(load, progress);
        await engine.server.crash(round % 2 === 0 ? 'SIGQUIT' : 'SIGKILL');
        const before = load.spooled;
        await until('spooled events', () => load.spooled > before + progress);
        const state = await fetch(`${server.url}/readyz`);
        assert.equal((await state.json()).status, 'degraded');
        await engine.server.start();
        await until('the end of the spool', async () => {
          const answer = await fetch(`${server.url}/readyz`);
          return (await answer.json()).status === 'ok';
        });
      }
      await moreAnswers(load, progress);
      await load.stop();
      const stored = () =>
        until('all that was spooled', async () =>
          (await headOf(server)) >= load.count);
      await stored();
      const log = await load.verify(server);
      await events.reachSeq(log.length);
      assert.deepEqual(events.seqs, log.map((event) => event.seq));
      t.diagnostic(`${load.spooled} of ${load.count} went by the spool`);
    });

    it('keeps one order with two servers on one database', async (t) => {
      const store = engine.freshUrl();
      // Both start at once: the migration's lock is part of the test.
      const servers = await Promise.all([1, 2].map(() =>
        startServer({ store, cwd: temporaryDirectory(t) })));
      t.after(() => Promise.all(servers.map((server) => server.stop())));
      const readers = await Promise.all(servers.map((server) =>
        openWebSocket(server, 'all_events', { since: 'earliest' })));
      const load = new Load(() => servers);
      t.after(() => load.stop());
      await moreAnswers(load, 6 * progress);
      await load.stop();
      const log = await load.verify(servers[0]);
      for (const reader of readers) {
        await reader.reachSeq(log.length);
        assert.deepEqual(reader.seqs, log.map((event) => event.seq));
        await reader.kill();
      }
    });
  });

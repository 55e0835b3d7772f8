// SPDX-License-Identifier: Apache-2.0
// Two hundred readers of every kind and fifty webhook subscriptions through
// kill -9 of the server at random moments: each reader gets exactly what
// matches, in order, once, and each endpoint all of it at least once.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { engines, openEngine } from './support/engines.js';
import { Load } from './support/load.js';
import { closeReaders, openEventSource, wholeLog } from './support/readers.js';
import { allow, api, startReceiver } from './support/receiver.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { pause, patience, until } from './support/wait.js';

const rounds = Number(process.env.EVENTWEFT_E2E_ROUNDS ?? 6);
const senders = 16;
const kinds = ['push', 'pull', 'sse', 'packed'];
const readers = 200;
const subscriptions = 50;

/** Reads one stream by WebSocket and comes back whenever it is cut off. */
class PersistentSocket {
  seqs = [];
  connections = 0;
  packed = 0;
  #since = 'earliest';
  #stopped = false;

  constructor(url, { filter, credit, compress }) {
    this.url = url;
    this.filter = filter;
    this.credit = credit;
    this.compress = compress;
    this.#connect();
  }

  #connect() {
    if (this.#stopped) return;
    const query = new URLSearchParams({ since: this.#since, progress: 'true' });
    if (this.filter) query.set('filter', JSON.stringify(this.filter));
    if (this.credit) query.set('credit', String(this.credit));
    let left = this.credit ?? Infinity;
    const socket = new WebSocket(
      `${this.url}/ws/events/all_events?${query}`,
      { perMessageDeflate: this.compress });
    this.socket = socket;
    socket.on('open', () => {
      this.connections += 1;
      if (socket.extensions.includes('permessage-deflate')) this.packed += 1;
    });
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.seq !== undefined) {
        this.seqs.push(message.seq);
        left -= 1;
        if (left < 0) this.fault = 'more than was granted';
        if (left === 0) {
          left = this.credit;
          socket.send(JSON.stringify({ credit: left }));
        }
      }
      this.#since = String(message.cursor ?? message.seq ?? this.#since);
    });
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(() => this.#connect(), 50));
  }

  stop() {
    this.#stopped = true;
    this.socket.terminate();
  }
}

/** Subscriptions to everything, of which every other one is ordered. */
async function subscribeAll(server, receiver) {
  const all = Array.from({ length: subscriptions }, (_, index) => ({
    path: `/s${index}`, ordered: index % 2 === 0,
  }));
  for (const { path, ordered } of all) {
    const answer = await api(
      server, 'POST', '/streams/all_events/subscriptions',
      { type: 'webhook', url: receiver.url + path, ordered });
    assert.equal(answer.status, 201, JSON.stringify(answer.json));
  }
  return all;
}

/** All of `log` came to each of them, in order where that was asked for. */
async function checkDeliveries(receiver, hooks, log) {
  const promised = log.map(({ seq }) => seq);
  await until('all that was promised', () => hooks.every(({ path }) =>
    new Set(receiver.seqs(path)).size >= promised.length), 8 * patience);
  for (const { path, ordered } of hooks) {
    // By when each came for the first time.
    const firsts = [...new Set(receiver.seqs(path))];
    assert.deepEqual(firsts.toSorted((a, b) => a - b), promised);
    if (ordered) assert.deepEqual(firsts, promised, `${path} is not in order`);
  }
}

for (const name of engines)
  describe(`many readers on ${name}`, { concurrency: 1 }, () => {
    let engine;
    before(async () => (engine = await openEngine(name)));
    after(async () => {
      await closeReaders();
      await engine?.close();
    });

    it(`lose nothing in ${rounds} crashes`, async (t) => {
      const start = {
        store: engine.freshUrl(),
        cwd: temporaryDirectory(t),
        env: {
          EVENTWEFT_STREAMING_SSE_RETRY: '0.1',
          EVENTWEFT_STREAMING_COMPRESSION: 'true',
          ...allow,
          EVENTWEFT_WEBHOOKS_RETRY_SCHEDULE: Array(8).fill('1s').join(' '),
          EVENTWEFT_WEBHOOKS_BREAKER_MIN: '0.2',
          EVENTWEFT_WEBHOOKS_BREAKER_MAX: '1',
        },
      };
      let server = await startServer(start);
      t.after(() => server.stop());
      let turn = 0;
      const receiver = await startReceiver(() => (++turn % 17 === 0 ? 500 : 200));
      t.after(() => receiver.stop());
      const hooks = await subscribeAll(server, receiver);
      const all = [];
      t.after(() => all.forEach(({ reader }) => reader.stop?.()));
      for (let i = 0; i < readers; ++i) {
        const kind = kinds[i % kinds.length];
        // Half of them read what one sender sends.
        const wanted = i % 8 < 4 ? undefined : i % senders;
        const filter = wanted === undefined
          ? undefined
          : { custom_filters: { 'payload.number': wanted } };
        const reader = kind === 'sse'
          ? await openEventSource(server, 'all_events', {
            since: 'earliest',
            ...(filter ? { filter: JSON.stringify(filter) } : {}),
          })
          : new PersistentSocket(server.ws, {
            filter,
            credit: kind === 'pull' ? 1 + (i % 7) : undefined,
            compress: kind === 'packed',
          });
        all.push({ kind, wanted, reader });
      }
      const load = new Load(() => [server], {
        senders, payload: { zen: 'Keep it. '.repeat(60) },
      });
      t.after(() => load.stop());
      for (let round = 0; round < rounds; ++round) {
        const goal = load.count + 60;
        await until('more events', () => load.count >= goal);
        await pause(Math.random() * 300);
        await server.crash();
        server = await startServer({ ...start, port: server.port });
      }
      await load.stop();
      const log = await wholeLog(server);
      const expected = new Map([[undefined, log.map(({ seq }) => seq)]]);
      for (let n = 0; n < senders; ++n)
        expected.set(n, log.filter((e) => e.payload.number === n)
          .map(({ seq }) => seq));
      for (const { kind, wanted, reader } of all) {
        const seqs = expected.get(wanted);
        await until(`all of a ${kind} reader's events`, () =>
          reader.seqs.length >= seqs.length, 2 * patience);
        assert.deepEqual(reader.seqs, seqs, `${kind}, filter ${wanted}`);
        assert.equal(reader.fault, undefined);
        if (kind === 'packed') assert.ok(reader.packed > 0, 'not compressed');
        if (kind !== 'sse') assert.ok(reader.connections >= 2);
      }
      await checkDeliveries(receiver, hooks, log);
      t.diagnostic(`${log.length} events to ${readers} readers and ` +
        `${subscriptions} subscriptions`);
    });
  });

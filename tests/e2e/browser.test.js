// SPDX-License-Identifier: Apache-2.0
// A real browser: Chromium's own EventSource and WebSocket find back by
// themselves, without a gap or a double.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from './support/browser.js';
import { engines, openEngine } from './support/engines.js';
import { allWebhooks, post, webhook } from './support/github.js';
import { run, startServer, temporaryDirectory, withoutThreads } from './support/server.js';
import { patience, until, within } from './support/wait.js';

const numbers = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/**
 * What runs in the page. The EventSource is left to itself. A WebSocket does
 * not come back by itself: these few lines are what docs/streams.md shows.
 */
function readBoth(stream) {
  const seen = { sse: [], ids: [], ws: [], closes: [], sseOpens: 0 };
  window.seen = seen;
  const source = new EventSource(`/events/stream/${stream}?since=earliest`);
  source.onopen = () => (seen.sseOpens += 1);
  source.onmessage = (message) => {
    seen.sse.push(JSON.parse(message.data));
    seen.ids.push(message.lastEventId);
  };
  window.source = source;

  let since = 'earliest';
  const connect = () => {
    const url = `/ws/events/${stream}?progress=true&since=${since}`;
    const socket = new WebSocket(url.replace(/^/, `ws://${location.host}`));
    window.socket = socket;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      since = message.cursor ?? message.seq;
      if (message.seq) seen.ws.push(message);
    };
    socket.onclose = ({ code, reason }) => {
      seen.closes.push({ code, reason });
      setTimeout(connect, 100);
    };
  };
  connect();
}

/** The recipe for tickets, as docs/secure.md has it. */
function ticketRecipe() {
  const docs = process.env.EVENTWEFT_DOCS;
  if (!docs) throw new Error('EVENTWEFT_DOCS must name the folder docs/');
  const found = /^```js\n(async function follow\([^]*?)^```/m.exec(
    readFileSync(join(docs, 'secure.md'), 'utf8'));
  assert.ok(found, 'docs/secure.md has the recipe');
  return found[1];
}

/**
 * Runs the recipe in the page. `away` stands for a network that is down; what
 * the recipe does is in `seen`.
 */
function followByTicket({ recipe, token }) {
  const seen = { seqs: [], cursors: [], ends: 0, failures: 0, refusals: 0 };
  Object.assign(window, { seen, token, hub: location.origin, away: false });
  window.show = ({ seq }) => seen.seqs.push(seq);
  const fetchIt = window.fetch.bind(window);
  window.fetch = async (...what) => {
    try {
      if (window.away) throw new TypeError('Failed to fetch');
      const answer = await fetchIt(...what);
      if (!answer.ok) seen.refusals += 1;
      return answer;
    } catch (error) {
      seen.failures += 1;
      throw error;
    }
  };
  window.EventSource = class extends EventSource {
    constructor(url) {
      super(url);
      this.addEventListener('progress', ({ lastEventId }) =>
        seen.cursors.push(Number(lastEventId)));
      this.addEventListener('end', () => (seen.ends += 1));
    }
  };
  const follow = new Function(`${recipe}; return follow;`)();
  follow('all_events', 'now', 50);
}

for (const name of engines)
  describe(`a browser on ${name}`, { concurrency: 1 }, () => {
    let engine;
    let browser;
    before(async () => {
      engine = await openEngine(name);
      browser = await openBrowser();
    });
    after(async () => {
      await browser?.close();
      await engine?.close();
    });

    const seqs = (page, kind) =>
      page.evaluate((k) => window.seen[k].map(({ seq }) => seq), kind);

    async function reach(page, count) {
      for (const kind of ['sse', 'ws'])
        await until(`${count} events by ${kind}`, async () =>
          (await seqs(page, kind)).length >= count);
    }

    async function send(server, count) {
      for (const hook of allWebhooks().slice(0, count)) {
        const answer = await post(server, hook);
        assert.equal(answer.status, 200, JSON.stringify(answer.json));
      }
    }

    async function openPage(t, server) {
      const page = await browser.newPage();
      page.setDefaultTimeout(patience);
      t.after(() => page.close());
      // Any document of the server's makes the page one of its origin.
      await page.goto(`${server.url}/healthz`);
      return page;
    }

    it('comes back after a stop and after kill -9', async (t) => {
      const start = {
        store: engine.freshUrl(),
        cwd: temporaryDirectory(t),
        env: { EVENTWEFT_STREAMING_SSE_RETRY: '0.2' },
        args: withoutThreads,
      };
      let server = await startServer(start);
      t.after(() => server.stop());
      const page = await openPage(t, server);
      await page.evaluate(readBoth, 'all_events');
      let total = 0;
      for (const end of ['stop', 'crash', 'stop']) {
        await send(server, 20);
        total += 20;
        await reach(page, total);
        await server[end]();
        server = await startServer({ ...start, port: server.port });
      }
      await send(server, 20);
      total += 20;
      await reach(page, total);
      assert.deepEqual(await seqs(page, 'sse'), numbers(1, total));
      assert.deepEqual(await seqs(page, 'ws'), numbers(1, total));
      const { ids, sseOpens, closes } = await page.evaluate(() => window.seen);
      assert.deepEqual(ids.map(Number), numbers(1, total));
      assert.ok(sseOpens >= 4, `opened ${sseOpens} times`);
      // A server that stops says so, and where to go on.
      const first = closes[0];
      assert.equal(first.code, 1001);
      assert.equal(JSON.parse(first.reason).cursor, 20);
      assert.ok(closes.some(({ code }) => code === 1006), 'the crash');
    });

    it('reads payloads with any line end and any character', async (t) => {
      const server = await startServer({
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
      });
      t.after(() => server.stop());
      const page = await openPage(t, server);
      await page.evaluate(readBoth, 'all_events');
      const payloads = [
        '{\n "a":\r\n 1,\r"b": [1,\n\n2]}',
        '{"text":"\u{1f9f5} weft \u2028 \u2029 \ufeff \\u0000 \\ud800 data: x\\n\\nid: 9"}',
        `{"long":"${'\u00e4'.repeat(100_000)}"}`,
      ];
      for (const payload of payloads)
        await post(server, webhook('ping', payload));
      await reach(page, payloads.length);
      for (const kind of ['sse', 'ws']) {
        const got = await page.evaluate((k) =>
          window.seen[k].map(({ payload }) => JSON.stringify(payload)), kind);
        // The same text in, through V8's own JSON, on both sides.
        assert.deepEqual(
          got, payloads.map((text) => JSON.stringify(JSON.parse(text))));
      }
    });

    it('agrees on permessage-deflate', async (t) => {
      const server = await startServer({
        store: engine.freshUrl(),
        cwd: temporaryDirectory(t),
        env: { EVENTWEFT_STREAMING_COMPRESSION: 'true' },
        args: withoutThreads,
      });
      t.after(() => server.stop());
      const page = await openPage(t, server);
      await page.evaluate(readBoth, 'all_events');
      await send(server, 60);
      await reach(page, 60);
      assert.deepEqual(await seqs(page, 'ws'), numbers(1, 60));
      assert.match(
        await page.evaluate(() => window.socket.extensions),
        /^permessage-deflate/);
      // Compressed the other way round as well.
      await page.evaluate(() => window.socket.send(
        JSON.stringify({ filter: { event_types: ['push'] } }) +
          ' '.repeat(5000)));
      await page.evaluate(() => window.socket.send('{"ack":60}'));
      await until('the filter to hold', async () => {
        const before = (await seqs(page, 'ws')).length;
        await post(server, webhook('ping', '{"zen":"none"}'));
        await post(server, webhook('push', '{"ref":"refs/heads/main"}'));
        await until('the push', async () =>
          (await seqs(page, 'ws')).length > before);
        const types = await page.evaluate((from) =>
          window.seen.ws.slice(from).map((e) => e.event_type), before);
        return types.every((type) => type === 'push');
      });
    });

    it('follows by tickets without a gap', async (t) => {
      const start = {
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
        args: withoutThreads,
      };
      const makeKey = async (name) => {
        const made = run(['keys', 'create', '--name', name, '--scope', 'admin',
          '--store', start.store], { cwd: start.cwd });
        const { code } = await within('a key', made.exited);
        assert.equal(code, 0, made.stderr());
        return made.stdout().trim();
      };
      const first = await makeKey('first');
      const second = await makeKey('second');
      let server = await startServer(start);
      t.after(() => server.stop());
      await send(server, 3);
      const page = await openPage(t, server);
      await page.evaluate(followByTicket, {
        recipe: ticketRecipe(), token: first,
      });
      const seen = () => page.evaluate(() => window.seen);
      await until('the place that "now" is', async () =>
        (await seen()).cursors.length === 1);
      assert.deepEqual((await seen()).cursors, [3]);

      // It has seen no event yet when the server goes, and others are first
      // when it is back.
      await page.evaluate(() => (window.away = true));
      await server.crash();
      await until('tickets to fail', async () => (await seen()).failures > 0);
      server = await startServer({ ...start, port: server.port });
      await send(server, 5);
      await page.evaluate(() => (window.away = false));
      await until('what it missed', async () =>
        (await seen()).seqs.length >= 5);

      // So it is when its credentials end.
      const { refusals } = await seen();
      const revoked = await fetch(
        `${server.url}/api/v1/keys/${first.split('_')[1]}`,
        { method: 'DELETE', headers: { Authorization: `Bearer ${second}` } });
      assert.equal(revoked.status, 204);
      await until('a refused ticket', async () => {
        const now = await seen();
        return now.ends > 0 && now.refusals > refusals;
      });
      await send(server, 5);
      await page.evaluate((token) => (window.token = token), second);
      await until('the rest', async () => (await seen()).seqs.length >= 10);
      const { seqs, ends } = await seen();
      assert.deepEqual(seqs, numbers(4, 13));
      assert.equal(ends, 1);
    });

    it('is told to stop for a stream that is not there', async (t) => {
      const server = await startServer({
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
      });
      t.after(() => server.stop());
      const page = await openPage(t, server);
      const state = await page.evaluate(() => new Promise((resolve) => {
        const source = new EventSource('/events/stream/nothing');
        source.onerror = () => resolve(source.readyState);
      }));
      assert.equal(state, 2, 'EventSource.CLOSED');
    });
  });

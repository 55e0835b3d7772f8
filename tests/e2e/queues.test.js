// SPDX-License-Identifier: Apache-2.0
// A stream into a real nats-server: its confirmation moves the cursor, and
// whoever dies, everything arrives and nothing is kept twice.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { engines, openEngine } from './support/engines.js';
import { allWebhooks, post } from './support/github.js';
import { openNats, startNats } from './support/nats.js';
import { api } from './support/receiver.js';
import { startServer, temporaryDirectory, withoutThreads } from './support/server.js';
import { until } from './support/wait.js';

const hooks = '/streams/all_events/subscriptions';

for (const name of engines)
  describe(`queues on ${name}`, { concurrency: 1 }, () => {
    let engine;
    before(async () => (engine = await openEngine(name)));
    after(() => engine?.close());

    it('feed a NATS subject, once each, through crashes', async (t) => {
      const nats = await startNats(t);
      let admin = await openNats(nats);
      // A moment after the port, JetStream is there too.
      await until('JetStream', async () => {
        const made = await admin.ask('$JS.API.STREAM.CREATE.HUB',
          { name: 'HUB', subjects: ['hub.>'], storage: 'file' });
        return made.config;
      });
      const begin = {
        store: engine.freshUrl(), cwd: temporaryDirectory(t),
        args: withoutThreads,
        env: {
          EVENTWEFT_WEBHOOKS_QUEUE_SERVERS: nats.url,
          EVENTWEFT_WEBHOOKS_RETRY_SCHEDULE: '1s 1s 1s 1s 1s 1s 1s 1s 1s 1s',
          EVENTWEFT_WEBHOOKS_BREAKER_MIN: '0.2',
          EVENTWEFT_WEBHOOKS_BREAKER_MAX: '0.5',
          EVENTWEFT_WEBHOOKS_TIMEOUT: '2',
        },
      };
      let server = await startServer(begin);
      t.after(() => server.stop());
      const elsewhere = await api(server, 'POST', hooks,
        { type: 'nats', url: 'nats://127.0.0.1:1/hub.x' });
      assert.equal(elsewhere.status, 422, JSON.stringify(elsewhere.json));
      const made = await api(server, 'POST', hooks,
        { type: 'nats', url: `${nats.url}/hub.events`, ordered: true });
      assert.equal(made.status, 201, JSON.stringify(made.json));
      admin.subscribe('hub.events');
      const examples = allWebhooks();
      const send = async (from, to) => {
        for (const hook of examples.slice(from, to))
          assert.equal((await post(server, hook)).status, 200);
      };
      await send(0, 20);
      await until('twenty', () =>
        admin.messages.filter((m) => m.subject === 'hub.events').length >= 20);
      const first = admin.messages.find((m) => m.subject === 'hub.events');
      assert.match(first.headers, /eventweft-key: github:\d+/);
      assert.match(first.headers, /webhook-id: msg_[0-9a-f]{32}/);
      assert.equal(JSON.parse(first.body).seq, 1);
      admin.close();

      await nats.crash();
      await send(20, 40);
      nats.start();
      await server.crash();
      server = await startServer({ ...begin, port: server.port });
      await send(40, 60);
      admin = await openNats(nats);
      const path = `${hooks}/${made.json.id}`;
      await until('all sixty', async () =>
        (await api(server, 'GET', path)).json.statistics.last_seq === 60);
      const info = await admin.ask('$JS.API.STREAM.INFO.HUB', {});
      assert.equal(info.state.messages, 60);
      admin.close();
    });
  });

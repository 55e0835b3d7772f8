// SPDX-License-Identifier: Apache-2.0
// Processors without C++: programs that are run and endpoints that are called,
// as the configuration file has them; what is given up on is told and kept.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { engines, openEngine } from './support/engines.js';
import { post, webhook } from './support/github.js';
import { api, allow, startReceiver } from './support/receiver.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { until } from './support/wait.js';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

for (const name of engines)
  describe(`processors on ${name}`, { concurrency: 1 }, () => {
    let engine;
    before(async () => (engine = await openEngine(name)));
    after(() => engine?.close());

    const start = (t, toml, env = allow) => {
      const cwd = temporaryDirectory(t);
      writeFileSync(join(cwd, 'eventweft.toml'), toml(cwd));
      return {
        store: engine.freshUrl(),
        cwd,
        env,
        args: ['--config', 'eventweft.toml'],
      };
    };

    const ping = (count) => webhook('ping', { zen: 'Keep it', count });
    const processor = async (server, which) =>
      (await server.json('/api/v1/processors')).processors
        .find((one) => one.name === which);

    it('run a program for each event, again after it failed', async (t) => {
      // The first attempt at every event fails.
      const script = `
        cat > "$EVENTWEFT_EVENT_ID.$EVENTWEFT_ATTEMPT.json"
        test "$EVENTWEFT_ATTEMPT" -gt 1`;
      const where = start(t, (cwd) => `
        [processors.keep]
        command = ["/bin/sh", "-c", '''${script}''']
        directory = "${cwd}"
        retry_delay = 0.01
        event_types = ["ping"]
      `);
      const server = await startServer(where);
      t.after(() => server.stop());
      const ids = [];
      for (let count = 0; count < 5; ++count)
        ids.push((await post(server, ping(count))).json.id);
      const done = await until('the program to have run', async () => {
        const seen = await processor(server, 'keep');
        return seen.completed === 5 && seen;
      });
      assert.equal(done.retried, 5);
      assert.equal(done.failed, 0);
      for (const [count, id] of ids.entries())
        for (const attempt of [1, 2]) {
          const text = readFileSync(
            join(where.cwd, `${id}.${attempt}.json`), 'utf8');
          assert.equal(JSON.parse(text).payload.count, count);
        }
    });

    it('call an endpoint, and tell of what they gave up', async (t) => {
      const secrets = { work: newSecret(), alert: newSecret() };
      const receiver = await startReceiver(({ path, body }) =>
        path === '/work' && JSON.parse(body).payload.count === 1 ? 500 : 200);
      t.after(() => receiver.stop());
      const server = await startServer(start(t, () => `
        [processors.call]
        url = "${receiver.url}/work"
        secret = "${secrets.work}"
        max_retries = 2
        retry_delay = 0.01
        [dead_letters]
        alert_url = "${receiver.url}/alert"
        alert_secret = "${secrets.alert}"
      `));
      t.after(() => server.stop());
      for (let count = 0; count < 3; ++count) await post(server, ping(count));
      await until('the alert', () => receiver.of('/alert').length > 0);
      const calls = () => receiver.of('/work');
      await until('all calls', () => calls().length >= 5);
      const attempts = [0, 0, 0];
      for (const { headers, body } of calls()) {
        const event = new Webhook(secrets.work).verify(body, headers);
        attempts[event.payload.count] += 1;
      }
      assert.deepEqual(attempts, [1, 3, 1]);
      const [{ headers, body }] = receiver.of('/alert');
      const alert = new Webhook(secrets.alert).verify(body, headers);
      assert.equal(alert.type, 'dead_letter');
      assert.equal(alert.dead_letter.origin, 'processor:call');

      // The alert waits for no store.
      const kept = async () =>
        (await api(server, 'GET', '/dead-letters')).json.dead_letters;
      await until('the dead letter', async () => (await kept()).length > 0);
      assert.deepEqual(
        (await kept()).map((letter) => letter.id), [alert.dead_letter.id]);
    });

    it('are let go of once they are gone', async (t) => {
      const where = start(t, () => `
        [server]
        shutdown_timeout = 2
        [processors.stuck]
        command = ["/bin/sleep", "1000"]
        timeout = 2000
        [processors.other]
        kind = "noop"
      `);
      const drop = (from) => api(from, 'DELETE', '/processors/stuck');
      const first = await startServer(where);
      t.after(() => first.stop());
      const ids = [];
      for (let count = 0; count < 3; ++count)
        ids.push((await post(first, ping(count))).json.id);
      await until('all to be in hand', async () => {
        const seen = await processor(first, 'stuck');
        return seen.ready + seen.running === 3;
      });
      assert.equal((await drop(first)).status, 409);
      await first.stop();

      writeFileSync(join(where.cwd, 'eventweft.toml'), `
        [processors.other]
        kind = "noop"
      `);
      const server = await startServer(where);
      t.after(() => server.stop());
      const gone = await until('it to be told',
        () => processor(server, 'stuck'));
      assert.equal(gone.state, 'gone');
      assert.equal(gone.ready, 3);
      const dropped = await drop(server);
      assert.equal(dropped.status, 202);
      assert.deepEqual(dropped.json, { name: 'stuck', events: 3 });
      await until('it to be over', async () =>
        !(await processor(server, 'stuck')));
      const kept = await api(server, 'GET', '/dead-letters');
      assert.deepEqual(
        kept.json.dead_letters.map((letter) => letter.origin),
        Array(3).fill('processor:stuck'));
      for (const id of ids)
        assert.ok((await server.json(`/api/v1/events/${id}`)).processed_at);
      assert.equal((await drop(server)).status, 404);
    });

    it('may not call private addresses unless allowed', async (t) => {
      const receiver = await startReceiver();
      t.after(() => receiver.stop());
      const server = await startServer(start(t, () => `
        [processors.call]
        url = "${receiver.url}/work"
        secret = "${newSecret()}"
        max_retries = 0
      `, {}));
      t.after(() => server.stop());
      await post(server, ping(0));
      const [letter] = await until('the dead letter', async () => {
        const kept = await api(server, 'GET', '/dead-letters');
        return kept.json.dead_letters.length > 0 && kept.json.dead_letters;
      });
      assert.match(letter.reason, /loopback|private/);
      assert.equal(receiver.requests.length, 0);
    });
  });

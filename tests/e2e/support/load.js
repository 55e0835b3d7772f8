// SPDX-License-Identifier: Apache-2.0
// Senders that go on through crashes and remember what was promised to them.
import assert from 'node:assert/strict';
import { headersOf, post, webhook } from './github.js';
import { wholeLog } from './readers.js';
import { pause } from './wait.js';

/**
 * What servers promised: for each delivery that got a 2xx, its answer. One
 * that got no answer is sent again with the same delivery id until it gets
 * one, as a sender that retries would.
 */
export class Load {
  acknowledged = new Map();
  refused = new Map();
  spooled = 0;
  repeats = 0;
  #stopped = false;
  #workers = [];
  #payload;

  constructor(servers, { senders = 16, payload = { zen: 'Keep it' } } = {}) {
    // `servers` is asked for each request: they come and go.
    this.servers = servers;
    this.#payload = payload;
    for (let number = 0; number < senders; ++number)
      this.#workers.push(this.#send(number));
  }

  async #send(number) {
    for (let count = 0; !this.#stopped; ++count) {
      const hook = webhook('ping', { ...this.#payload, number, count });
      const headers = await headersOf(hook);
      for (let attempt = 0; ; ++attempt) {
        const candidates = this.servers();
        const server = candidates[(number + attempt) % candidates.length];
        try {
          const answer = await post(server, hook, headers);
          if (answer.status >= 200 && answer.status < 300) {
            if (answer.json.spooled) this.spooled += 1;
            this.acknowledged.set(hook.delivery, answer.json);
            break;
          }
          const seen = this.refused.get(answer.status) ?? 0;
          this.refused.set(answer.status, seen + 1);
          assert.equal(answer.status, 503, JSON.stringify(answer.json));
        } catch (error) {
          // No answer: it may or may not have been stored.
          if (error instanceof assert.AssertionError) throw error;
        }
        this.repeats += 1;
        if (this.#stopped) return;
        await pause(5);
      }
    }
  }

  get count() {
    return this.acknowledged.size;
  }

  async stop() {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  /** Every promise holds, and the log has neither a hole nor a double. */
  async verify(server) {
    const log = await wholeLog(server);
    log.forEach((event, index) =>
      assert.equal(event.seq, index + 1, 'the log has a hole'));
    const stored = new Map(log.map((event) => [event.event_id, event]));
    assert.equal(stored.size, log.length, 'something is stored twice');
    for (const [delivery, answer] of this.acknowledged) {
      const event = stored.get(delivery);
      assert.ok(event, `${delivery} was acknowledged and is not in the log`);
      if (answer.spooled) continue;
      assert.equal(event.id, answer.id, 'the answer names another event');
      assert.equal(event.seq, answer.seq, 'the answer names another place');
    }
    return log;
  }
}

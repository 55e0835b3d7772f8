// SPDX-License-Identifier: Apache-2.0
// The readers: npm's `ws` and `eventsource`, and pages over plain HTTP. Each
// collects messages as `{ text, event }`, where `text` is what came.
import { EventSource } from 'eventsource';
import { WebSocket } from 'ws';
import { patience, until, within } from './wait.js';

/** The payload's own bytes within an event's text; it is the last member. */
export function payloadText(text) {
  const at = text.indexOf('"payload":');
  if (at < 0) throw new Error(`no payload in ${text.slice(0, 200)}`);
  return text.slice(at + '"payload":'.length, text.lastIndexOf('}'));
}

const query = (parameters) => {
  const text = new URLSearchParams(parameters).toString();
  return text === '' ? '' : `?${text}`;
};

/** Those that a test left open: they would keep the process alive. */
const open = new Set();

export async function closeReaders() {
  await Promise.all([...open].map((reader) => reader.kill()));
}

class Collector {
  constructor() {
    open.add(this);
  }
  messages = [];
  add(text) {
    this.messages.push({ text, event: JSON.parse(text) });
  }
  get seqs() {
    return this.messages.map(({ event }) => event.seq);
  }
  get last() {
    return this.messages.at(-1)?.event.seq ?? 0;
  }
  /** Waits until so many have come; more are a failure of the caller's. */
  async reach(count, limit = patience) {
    await until(`${count} events; ${this.kind}`, () => {
      if (this.error) throw this.error;
      return this.messages.length >= count;
    }, limit).catch((error) => {
      throw new Error(`got ${this.messages.length} of ${count} events`, {
        cause: error,
      });
    });
    return this.messages;
  }
  async reachSeq(seq, limit = patience) {
    await until(`seq ${seq} on ${this.kind}`, () => this.last >= seq, limit)
      .catch((error) => {
        throw new Error(`got to seq ${this.last} of ${seq}`, { cause: error });
      });
    return this.messages;
  }
}

class WebSocketReader extends Collector {
  kind = 'websocket';
  constructor(server, stream, parameters) {
    super();
    this.socket = new WebSocket(
      `${server.ws}/ws/events/${stream}${query(parameters)}`,
    );
    this.socket.on('message', (data) => {
      const text = data.toString('utf8');
      // Answers to what a client sent are not events.
      if (text.includes('"seq"')) this.add(text);
      else this.notes.push(JSON.parse(text));
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    this.closed = new Promise((resolve) =>
      this.socket.once('close', (code, reason) =>
        resolve({ code, reason: reason.toString() }),
      ),
    );
    this.socket.on('error', () => {});
  }
  notes = [];
  send(message) {
    this.socket.send(JSON.stringify(message));
  }
  /** As a client that was killed: no close frame. */
  async kill() {
    open.delete(this);
    this.socket.terminate();
    await within('the socket to be gone', this.closed);
  }
}

class EventSourceReader extends Collector {
  kind = 'eventsource';
  opens = 0;
  constructor(server, stream, parameters, lastEventId) {
    super();
    let first = true;
    this.source = new EventSource(
      `${server.url}/events/stream/${stream}${query(parameters)}`,
      {
        fetch: (url, init) => {
          // Only the first request needs help: from then on the client itself
          // sends the last id it saw.
          const headers = { ...init.headers };
          if (first && lastEventId !== undefined)
            headers['Last-Event-ID'] = String(lastEventId);
          first = false;
          return fetch(url, { ...init, headers });
        },
      },
    );
    this.source.addEventListener('message', (message) => {
      this.add(message.data);
      this.ids.push(message.lastEventId);
    });
    this.source.addEventListener('open', () => (this.opens += 1));
    this.opened = until('the event source to open', () => {
      if (this.source.readyState === EventSource.CLOSED)
        throw new Error('the event source was refused');
      return this.opens > 0;
    });
  }
  ids = [];
  async kill() {
    open.delete(this);
    this.source.close();
  }
}

export async function openWebSocket(server, stream, parameters = {}) {
  const reader = new WebSocketReader(server, stream, parameters);
  await within('the websocket to open', reader.opened);
  return reader;
}

export async function openEventSource(
  server, stream, parameters = {}, lastEventId = undefined,
) {
  const reader = new EventSourceReader(server, stream, parameters, lastEventId);
  await reader.opened.catch((error) => {
    reader.source.close();
    throw error;
  });
  return reader;
}

/** The whole log through `/api/v1/events`, oldest first. */
export async function wholeLog(server) {
  const events = [];
  let cursor;
  do {
    const page = await server.json(
      `/api/v1/events${query({
        order: 'asc', limit: '1000', ...(cursor ? { cursor } : {}),
      })}`,
    );
    events.push(...page.events);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return events;
}

/** The newest seq that is stored; 0 for an empty log. */
export async function headOf(server) {
  const page = await server.json('/api/v1/events?limit=1');
  return page.events[0]?.seq ?? 0;
}

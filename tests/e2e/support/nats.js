// SPDX-License-Identifier: Apache-2.0
// Debian's nats-server with JetStream, and the few words of its protocol that
// the tests need.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './wait.js';

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startNats(t) {
  const home = mkdtempSync(join(tmpdir(), 'eventweft-nats-'));
  const port = await freePort();
  let child;
  const server = {
    port,
    url: `nats://127.0.0.1:${port}`,
    start() {
      child = spawn('nats-server',
        ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', home],
        { stdio: 'ignore' });
    },
    async crash() {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
  server.start();
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });
  return server;
}

/** A connection; messages that come are `{ subject, headers, body }`. */
export async function openNats(server) {
  const socket = await until('nats-server to listen', () =>
    new Promise((resolve, reject) => {
      const made = connect(server.port, '127.0.0.1');
      made.once('connect', () => resolve(made)).once('error', reject);
    }));
  const messages = [];
  let buffer = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const end = buffer.indexOf('\r\n');
      if (end < 0) return;
      const words = buffer.subarray(0, end).toString().split(' ');
      if (words[0] === 'PING') socket.write('PONG\r\n');
      let used = end + 2;
      if (words[0] === 'MSG' || words[0] === 'HMSG') {
        const size = Number(words.at(-1));
        if (buffer.length < used + size + 2) return;
        const head = words[0] === 'HMSG' ? Number(words.at(-2)) : 0;
        messages.push({
          subject: words[1],
          headers: buffer.subarray(used, used + head).toString(),
          body: buffer.subarray(used + head, used + size).toString(),
        });
        used += size + 2;
      }
      buffer = buffer.subarray(used);
    }
  });
  socket.write('CONNECT {"verbose":false,"headers":true}\r\n');
  let answers = 0;
  return {
    messages,
    subscribe: (subject) => socket.write(`SUB ${subject} 1\r\n`),
    /** Asks JetStream's API; gives the answer's JSON. */
    async ask(subject, request) {
      const inbox = `answers.${process.pid}.${++answers}`;
      const body = JSON.stringify(request);
      socket.write(`SUB ${inbox} ${1000 + answers}\r\n`);
      socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(body)}\r\n`);
      socket.write(`${body}\r\n`);
      const answer = await until(`an answer to ${subject}`, () =>
        messages.find((message) => message.subject === inbox));
      return JSON.parse(answer.body);
    },
    close: () => socket.destroy(),
  };
}

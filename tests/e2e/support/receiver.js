// SPDX-License-Identifier: Apache-2.0
// Endpoints for the hub's webhooks, and the API that makes subscriptions.
import { createServer } from 'node:http';
import { patience, until } from './wait.js';

/**
 * Listens on a free port of `host`. `answer(request)` gives the status (200 by
 * default); what came is in `requests`, bodies as they were on the wire.
 */
export async function startReceiver(answer = () => 200, host = '127.0.0.1') {
  const requests = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', async () => {
      const seen = {
        path: request.url,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        at: Date.now(),
      };
      requests.push(seen);
      const status = await answer(seen);
      response.writeHead(status, { 'content-type': 'text/plain' });
      response.end(`said ${status}`);
    });
  });
  await new Promise((resolve) => server.listen(0, host, resolve));
  return {
    requests,
    url: `http://${host}:${server.address().port}`,
    of: (path) => requests.filter((request) => request.path === path),
    /** The seqs that came to `path`, in the order in which they came. */
    seqs: (path) => requests.filter((request) => request.path === path)
      .map((request) => JSON.parse(request.body).seq),
    reach(count) {
      return until(`${count} deliveries`, () => requests.length >= count);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A call to the management API: `{ status, json }`. */
export async function api(server, method, path, body) {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(patience),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    json: text === '' ? undefined : JSON.parse(text),
  };
}

export const allow = { EVENTWEFT_WEBHOOKS_ALLOW_PRIVATE_NETWORKS: 'true' };

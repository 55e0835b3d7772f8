// SPDX-License-Identifier: Apache-2.0
// GitHub as a sender: Octokit's example payloads, signed by Octokit.
import { createHmac, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { sign } from '@octokit/webhooks-methods';
import { secret } from './server.js';
import { patience } from './wait.js';

const examples = createRequire(import.meta.url)('@octokit/webhooks-examples');

/** One webhook, ready to be sent; `body` is what GitHub would put on the wire. */
export function webhook(name, payload, delivery = randomUUID()) {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const action = JSON.parse(body).action;
  return {
    name,
    delivery,
    body,
    type: typeof action === 'string' ? `${name}:${action}` : name,
  };
}

/** Every example there is, each as a delivery of its own. */
export function allWebhooks() {
  return examples.flatMap((event) =>
    event.examples.map((example) => webhook(event.name, example)),
  );
}

// Octokit will not sign an empty body; some sender might.
async function signature(body) {
  if (body !== '') return sign(secret, body);
  return `sha256=${createHmac('sha256', secret).digest('hex')}`;
}

export async function headersOf(hook) {
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/e2e',
    'x-github-event': hook.name,
    'x-github-delivery': hook.delivery,
    'x-hub-signature-256': await signature(hook.body),
  };
}

/** Posts it; gives the status and the answer's JSON. Throws without an answer. */
export async function post(server, hook, headers) {
  const response = await fetch(`${server.url}/github/events`, {
    method: 'POST',
    headers: headers ?? (await headersOf(hook)),
    body: hook.body,
    signal: AbortSignal.timeout(patience),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    headers: response.headers,
    json: text === '' ? undefined : JSON.parse(text),
  };
}

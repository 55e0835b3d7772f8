// SPDX-License-Identifier: Apache-2.0
// Every platform's webhooks before the real binary, signed by the vendor's own
// library where there is one, else by node's crypto: genuine ones are stored
// once, all others get a clear answer and leave no row.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sign as signAsGitHub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { engines, openEngine } from './support/engines.js';
import { headOf } from './support/readers.js';
import { startServer, temporaryDirectory, withoutThreads } from './support/server.js';
import { patience, until } from './support/wait.js';

const largest = 64 * 1024;
const standardSecret = `whsec_${Buffer.alloc(32, 'e2e').toString('base64')}`;
const otherStandardSecret = `whsec_${Buffer.alloc(32, 'no').toString('base64')}`;

const seconds = (at) => Math.floor(at.getTime() / 1000);
const hmac = (hash, key, text, encoding = 'hex') =>
  createHmac(hash, key).update(text).digest(encoding);

/** `webhook-*` or `svix-*` headers, as the specification's authors make them. */
const standard = (prefix) => ({
  header: `${prefix}-signature`,
  secret: standardSecret,
  wrong: otherStandardSecret,
  window: { past: true, future: true },
  async sign(body, { id, at, secret }) {
    return {
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: `${seconds(at)}`,
      [`${prefix}-signature`]: new Webhook(secret).sign(id, at, body),
    };
  },
});

/** A signature over nothing but the body. */
const plain = (header, make, more = () => ({})) => ({
  header,
  window: {},
  sign: async (body, { id, secret }) =>
    ({ [header]: await make(body, secret), ...more(id) }),
});

// `body` gets the delivery's id and its time; `event` is what must come out.
const platforms = {
  github: {
    ...plain('x-hub-signature-256', (body, secret) => signAsGitHub(secret, body),
      (id) => ({ 'x-github-event': 'issues', 'x-github-delivery': id })),
    body: () => ({
      action: 'opened', issue: { number: 7 }, sender: { id: 1, login: 'ann' },
      repository: { id: 3, full_name: 'octo/repo' },
    }),
    event: { event_type: 'issues:opened', source_name: 'octo/repo',
      actor_name: 'ann', priority: 'high' },
  },
  slack: {
    header: 'x-slack-signature',
    window: { past: true, future: true },
    async sign(body, { at, secret }) {
      const time = `${seconds(at)}`;
      return {
        'x-slack-request-timestamp': time,
        'x-slack-signature': `v0=${hmac('sha256', secret, `v0:${time}:${body}`)}`,
      };
    },
    body: (id) => ({
      type: 'event_callback', event_id: id, team_id: 'T1', api_app_id: 'A1',
      event: { type: 'app_mention', user: 'U1', channel: 'C1', text: 'hello',
        ts: '1.2' },
    }),
    event: { event_type: 'app_mention', source_id: 'T1', source_name: 'C1',
      actor_id: 'U1', priority: 'high' },
  },
  linear: {
    ...plain('linear-signature', (body, secret) => hmac('sha256', secret, body),
      (id) => ({ 'linear-delivery': id, 'linear-event': 'Issue',
        // Not signed: must not matter.
        'linear-timestamp': `${Date.now()}` })),
    window: { past: true, future: true },
    optional: /^linear-(timestamp|event)$/,
    body: (id, at) => ({
      type: 'Issue', action: 'update', organizationId: 'O1',
      webhookTimestamp: at.getTime(), actor: { id: 'A1', name: 'Ann' },
      data: { id: 'I1', number: 4, title: 'Broken', team: { id: 'T1', key: 'ENG' } },
      updatedFrom: { title: 'Brokn' },
    }),
    event: { event_type: 'Issue:update', source_name: 'ENG', actor_name: 'Ann' },
  },
  deployments: {
    ...standard('webhook'),
    body: () => ({
      deployment_id: '42', environment: 'production', status: 'success',
      repository_name: 'octo/repo', pull_request: 12,
    }),
    event: { event_type: 'deployment:success', source_name: 'octo/repo',
      priority: 'high' },
  },
  'standard-webhooks': {
    ...standard('svix'),
    body: () => ({ type: 'user.created', data: { id: 'u1' } }),
    event: { event_type: 'user.created', source_id: 'u1' },
  },
  gitlab: {
    ...standard('webhook'),
    body: () => ({
      object_kind: 'merge_request', object_attributes: { iid: 3, action: 'open' },
      project: { id: 7, path_with_namespace: 'group/app' },
      user: { id: 1, username: 'root' },
    }),
    event: { event_type: 'merge_request:open', source_name: 'group/app',
      priority: 'high' },
  },
  stripe: {
    header: 'stripe-signature',
    // As Stripe's own library: times ahead are taken.
    window: { past: true },
    sign: async (body, { at, secret }) => ({
      'stripe-signature': Stripe.webhooks.generateTestHeaderString(
        { payload: body, secret, timestamp: seconds(at) }),
    }),
    body: (id) => ({
      id, type: 'invoice.payment_failed', account: 'acct_1',
      data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1' } },
    }),
    event: { event_type: 'invoice.payment_failed', source_id: 'acct_1',
      actor_id: 'cus_1', priority: 'high' },
  },
  pagerduty: {
    ...plain('x-pagerduty-signature', (body, secret) =>
      `v1=${hmac('sha256', 'an older secret', body)},v1=${hmac('sha256', secret, body)}`),
    body: (id) => ({ event: {
      id, event_type: 'incident.triggered', agent: { id: 'P1', summary: 'Ann' },
      data: { id: 'Q1', title: 'Down', urgency: 'high',
        service: { id: 'S1', summary: 'API' } },
    } }),
    event: { event_type: 'incident.triggered', source_name: 'API',
      actor_name: 'Ann', priority: 'critical' },
  },
  sentry: {
    ...plain('sentry-hook-signature', (body, secret) => hmac('sha256', secret, body),
      (id) => ({ 'request-id': id, 'sentry-hook-resource': 'issue' })),
    body: () => ({
      action: 'created', actor: { id: 1, name: 'Sentry' },
      data: { issue: { shortId: 'API-1', project: { id: '5', slug: 'api' } } },
    }),
    event: { event_type: 'issue:created', source_name: 'api', priority: 'high' },
  },
  vercel: {
    ...plain('x-vercel-signature', (body, secret) => hmac('sha1', secret, body)),
    body: (id) => ({
      id, type: 'deployment.succeeded',
      payload: { name: 'web', target: 'production', project: { id: 'prj_1' },
        user: { id: 'u1' } },
    }),
    event: { event_type: 'deployment.succeeded', source_name: 'web',
      priority: 'high' },
  },
  jira: {
    ...plain('x-hub-signature', (body, secret) =>
      `sha256=${hmac('sha256', secret, body)}`,
    (id) => ({ 'x-atlassian-webhook-identifier': id })),
    body: () => ({
      webhookEvent: 'jira:issue_updated', user: { accountId: 'a1', displayName: 'Ann' },
      issue: { key: 'ENG-1', fields: { project: { id: '10', key: 'ENG' } } },
    }),
    event: { event_type: 'jira:issue_updated', source_name: 'ENG',
      actor_name: 'Ann', priority: 'high' },
  },
  bitbucket: {
    ...plain('x-hub-signature', (body, secret) =>
      `sha256=${hmac('sha256', secret, body)}`,
    (id) => ({ 'x-request-uuid': id, 'x-event-key': 'pullrequest:created' })),
    body: () => ({
      repository: { uuid: '{r}', full_name: 'team/repo' },
      actor: { uuid: '{a}', nickname: 'ann' }, pullrequest: { id: 2 },
    }),
    event: { event_type: 'pullrequest:created', source_name: 'team/repo',
      actor_name: 'ann', priority: 'high' },
  },
  shopify: {
    ...plain('x-shopify-hmac-sha256', (body, secret) =>
      hmac('sha256', secret, body, 'base64'),
    (id) => ({ 'x-shopify-webhook-id': id, 'x-shopify-topic': 'orders/create',
      'x-shopify-shop-domain': 'shop.example' })),
    // Something in the body can stand for them.
    optional: /^x-shopify-(webhook|topic|shop)/,
    body: () => ({ id: 820982911946154500, customer: { id: 1, email: 'a@example.org' } }),
    event: { event_type: 'orders/create', source_name: 'shop.example' },
  },
};

for (const [name, platform] of Object.entries(platforms)) {
  platform.secret ??= `e2e secret of ${name}`;
  platform.wrong ??= 'somebody else’s secret';
}

const configuration =
  `[server]\nmax_body_bytes = ${largest}\n` +
  Object.entries(platforms)
    .map(([name, { secret }]) =>
      `[platforms.${name}]\nsecret = ${JSON.stringify(secret)}\n`)
    .join('');

for (const engineName of engines)
  describe(`every platform on ${engineName}`, { concurrency: 1 }, () => {
    let engine;
    let server;
    const cleanups = [];

    before(async () => {
      engine = await openEngine(engineName);
      const cwd = temporaryDirectory({ after: (work) => cleanups.push(work) });
      writeFileSync(join(cwd, 'eventweft.toml'), configuration);
      server = await startServer({
        store: engine.freshUrl(), cwd, args: withoutThreads,
        env: { GITHUB_WEBHOOK_SECRET: '' },
      });
    });
    after(async () => {
      await server?.stop();
      await engine?.close();
      for (const work of cleanups) work();
    });

    /** A delivery; `options` say what about it is unusual. */
    async function delivery(platform, { at = new Date(), secret, pad } = {}) {
      const id = randomUUID();
      const body = JSON.stringify({ ...platform.body(id, at), pad });
      const signed = await platform.sign(
        body, { id, at, secret: secret ?? platform.secret });
      return {
        body,
        headers: { 'content-type': 'application/json', ...signed },
      };
    }

    async function post(name, { body, headers }) {
      const answer = await fetch(`${server.url}/${name}/events`, {
        method: 'POST', body, headers, signal: AbortSignal.timeout(patience),
      });
      return {
        status: answer.status,
        type: answer.headers.get('content-type'),
        json: await answer.json(),
      };
    }

    async function refused(name, status, what, request) {
      const answer = await post(name, request);
      assert.equal(answer.status, status,
        `${name}, ${what}: ${JSON.stringify(answer.json)}`);
      assert.match(answer.type, /^application\/problem\+json/);
      assert.equal(answer.json.status, status);
      assert.ok(answer.json.detail.length > 10, `${name}, ${what}`);
      return answer.json.detail.toLowerCase();
    }

    for (const [name, platform] of Object.entries(platforms)) {
      it(`${name}: a genuine webhook is stored once`, async () => {
        const genuine = await delivery(platform);
        // Some senders wait a second only, which a busy machine may need; what
        // they send again is the same event.
        let attempts = 0;
        const first = await until(`${name} to be answered`, async () => {
          ++attempts;
          const answer = await post(name, genuine);
          return answer.status === 503 ? undefined : answer;
        });
        assert.equal(first.status, 200, JSON.stringify(first.json));
        if (attempts === 1) assert.equal(first.json.duplicate, false);
        const again = await post(name, genuine);
        assert.deepEqual(again.json, { ...first.json, duplicate: true });
        assert.equal(await headOf(server), first.json.seq);

        const event = await server.json(`/api/v1/events/${first.json.id}`);
        assert.equal(event.platform, name);
        for (const [key, value] of Object.entries(platform.event))
          assert.equal(event[key], value, key);
        assert.deepEqual(event.payload, JSON.parse(genuine.body));
      });

      it(`${name}: nothing else is`, async () => {
        const head = await headOf(server);
        const { header, window } = platform;

        let why = await refused(name, 401, 'a wrong secret',
          await delivery(platform, { secret: platform.wrong }));
        assert.ok(why.includes(header), why);

        const genuine = await delivery(platform);
        why = await refused(name, 401, 'an altered body',
          { ...genuine, body: genuine.body.replace('{', '{ ') });
        assert.ok(why.includes(header), why);
        await refused(name, 401, 'a truncated body',
          { ...genuine, body: genuine.body.slice(0, -5) });
        await refused(name, 401, 'no body', { ...genuine, body: '' });

        for (const key of Object.keys(genuine.headers)) {
          if (key === 'content-type' || platform.optional?.test(key)) continue;
          const { [key]: _, ...rest } = genuine.headers;
          const answer = await post(name, { ...genuine, headers: rest });
          assert.ok([400, 401].includes(answer.status),
            `${name} without ${key}: ${answer.status}`);
          assert.ok(answer.json.detail.toLowerCase().includes(key),
            `${name} without ${key}: ${answer.json.detail}`);
        }

        const hour = 3_600_000;
        if (window.past)
          why = await refused(name, 401, 'a stale time',
            await delivery(platform, { at: new Date(Date.now() - hour) }));
        if (window.past) assert.match(why, /signed more than \d+ s ago/);
        if (window.future) {
          why = await refused(name, 401, 'a time ahead',
            await delivery(platform, { at: new Date(Date.now() + hour) }));
          assert.match(why, /signed more than \d+ s in the future/);
        }

        await refused(name, 413, 'an oversize body',
          await delivery(platform, { pad: 'x'.repeat(largest) }));
        assert.equal(await headOf(server), head);
      });
    }
  });

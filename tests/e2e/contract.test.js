// SPDX-License-Identifier: Apache-2.0
// What schemas/ says about answers and stream messages, held against real ones
// by other people's validators.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Parser, fromFile } from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { openEngine } from './support/engines.js';
import { allWebhooks, headersOf, post, webhook } from './support/github.js';
import {
  closeReaders, openEventSource, openWebSocket,
} from './support/readers.js';
import { allow, startReceiver } from './support/receiver.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { patience, until, within } from './support/wait.js';

const folder = process.env.EVENTWEFT_SCHEMAS;
if (!folder) throw new Error('EVENTWEFT_SCHEMAS must name the folder schemas/');
const path = (name) => join(folder, name);
const text = (name) => readFileSync(path(name), 'utf8');
const eventSchema = JSON.parse(text('event.schema.json'));
const openapi = parse(text('openapi.yaml'));

const token = 'e2e-token-of-a-custom-sender';
const slackSecret = 'e2e-slack-secret';
const base = 'https://schemas.invalid/';
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

// Anything may be one, and no processor answers here.
openapi.components.schemas.Reply = false;

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema(eventSchema, `${base}event.schema.json`);
ajv.addSchema(openapi, `${base}openapi.yaml`);

const escaped = (key) => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Follows `$ref`s within openapi.yaml; gives the node and where it is. */
function resolve(pointer) {
  let node = openapi;
  for (const key of pointer.split('/').slice(1))
    node = node?.[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  if (node?.$ref?.startsWith('#')) return resolve(node.$ref);
  return { node, pointer };
}

/** Throws unless the description of this operation allows the answer. */
function check(route, method, status, type, body) {
  const responses = `#/paths/${escaped(route)}/${method}/responses`;
  const known = resolve(`${responses}/${status}`).node !== undefined;
  assert.ok(known || status >= 400,
    `${method} ${route} answers ${status}, which is not described: ${body}`);
  const { node, pointer } = resolve(
    `${responses}/${known ? status : 'default'}`);
  const media = (type ?? '').split(';')[0];
  if (node.content === undefined) {
    assert.equal(body, '', `${method} ${route} ${status} has a body`);
    return;
  }
  assert.ok(node.content[media],
    `${method} ${route} ${status} has a ${media}: ${body}`);
  if (!media.endsWith('json')) return;
  const validate = ajv.compile({
    $ref: `${base}openapi.yaml${pointer}/content/${escaped(media)}/schema`,
  });
  assert.ok(validate(JSON.parse(body)),
    `${method} ${route} ${status}: ${ajv.errorsText(validate.errors)}\n${body}`);
}

/** As JSON Schema's own validator sees it: whole, or with its faults. */
function valid(validate, value) {
  assert.ok(validate(value),
    `${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`);
}

describe('the contracts in schemas/', { concurrency: 1 }, () => {
  let engine;
  let server;
  const seen = new Map();
  const cleanups = [];

  before(async () => {
    engine = await openEngine('sqlite');
    server = await startServer({
      store: engine.freshUrl(),
      cwd: temporaryDirectory({ after: (work) => cleanups.push(work) }),
      env: {
        ...allow,
        EVENTWEFT_PLATFORMS_EVENTS_TOKENS: token,
        SLACK_SIGNING_SECRET: slackSecret,
        EVENTWEFT_STREAMING_PING_INTERVAL: '1',
      },
    });
  });
  after(async () => {
    await closeReaders();
    await server?.stop();
    await engine?.close();
    for (const work of cleanups) await work();
  });

  /** Sends, checks the answer against openapi.yaml, gives it back. */
  async function call(method, route, parameters = {}, init = {}, query = '') {
    const url = route.replace(/\{(\w+)\}/g,
      (_, name) => encodeURIComponent(parameters[name]));
    const answer = await fetch(`${server.url}${url}${query}`, {
      method: method.toUpperCase(),
      signal: AbortSignal.timeout(patience),
      ...init,
    });
    const body = await answer.text();
    check(route, method, answer.status,
      answer.headers.get('content-type'), body);
    if (answer.status < 300)
      seen.set(`${method} ${route}`, answer.status);
    return {
      status: answer.status,
      json: body !== '' && /json/.test(answer.headers.get('content-type'))
        ? JSON.parse(body) : undefined,
      text: body,
    };
  }

  const custom = (body, type = 'application/json') => ({
    body: JSON.stringify(body),
    headers: { 'content-type': type, authorization: `Bearer ${token}` },
  });

  it('are well-formed themselves', async () => {
    const validator = new Validator();
    await validator.addSpecRef(path('event.schema.json'), 'event.schema.json');
    const result = await validator.validate(path('openapi.yaml'));
    assert.ok(result.valid, JSON.stringify(result.errors));
    assert.equal(validator.version, '3.1');
    const { document, diagnostics } =
      await fromFile(new Parser(), path('asyncapi.yaml')).parse();
    assert.deepEqual(diagnostics.filter(({ severity }) => severity < 2), []);
    assert.equal(document.version(), '3.0.0');
    addFormats(new Ajv2020({ strict: true, allowUnionTypes: true }))
      .compile(eventSchema);
  });

  it('describe the answers to webhooks', async () => {
    for (const route of ['/{platform}/events', '/webhooks/{platform}'])
      for (const hook of allWebhooks().slice(0, 40)) {
        const { status } = await call('post', route, { platform: 'github' },
          { body: hook.body, headers: await headersOf(hook) });
        assert.equal(status, 200);
      }
    const hook = webhook('ping', { zen: 'unsigned' });
    const refused = await call('post', '/{platform}/events',
      { platform: 'github' }, { body: hook.body });
    assert.ok(refused.status >= 400);
    const body = JSON.stringify({ type: 'url_verification', challenge: 'c' });
    const time = Math.floor(Date.now() / 1000);
    const { status } = await call('post', '/{platform}/events',
      { platform: 'slack' }, {
        body,
        headers: {
          'content-type': 'application/json',
          'x-slack-request-timestamp': String(time),
          'x-slack-signature': `v0=${createHmac('sha256', slackSecret)
            .update(`v0:${time}:${body}`).digest('hex')}`,
        },
      });
    assert.equal(status, 200);
  });

  it('describe the answers to custom events', async () => {
    const one = await call('post', '/events', {},
      custom({ event_type: 'order:paid', event_id: '7', payload: { n: 1 } }));
    assert.equal(one.json.duplicate, false);
    const many = await call('post', '/events', {}, custom([
      { event_type: 'order:paid', event_id: '7' }, { event_type: '' },
    ]));
    assert.equal(many.json.length, 2);
    assert.equal(many.json[0].duplicate, true);
    assert.equal((await call('post', '/events', {},
      custom({ event_type: 'x', colour: 'red' }))).status, 422);
    assert.equal((await call('post', '/events', {}, custom({
      specversion: '1.0', id: '1', source: '/s', type: 't', data: {},
    }, 'application/cloudevents+json'))).status, 200);
    assert.equal((await call('options', '/events', {},
      { headers: { 'webhook-request-origin': 'sender.example' } })).status,
    200);
  });

  it('describe every event there is, whatever its payload', async () => {
    const validate = ajv.getSchema(`${base}event.schema.json`);
    await Promise.all(allWebhooks().slice(40).map(async (hook) =>
      assert.equal((await post(server, hook)).status, 200)));
    let query = '?limit=100&order=asc';
    let count = 0;
    for (;;) {
      const { json } = await call('get', '/api/v1/events', {}, {}, query);
      for (const event of json.events) valid(validate, event);
      count += json.events.length;
      if (json.next_cursor === null) break;
      query = `?limit=100&order=asc&cursor=${json.next_cursor}`;
    }
    assert.ok(count > 300, `only ${count}`);
    // The schema can say no.
    assert.equal(validate({ seq: 0 }), false);
  });

  it('describe questions to the log and their refusals', async () => {
    const { json } = await call('get', '/api/v1/events', {}, {}, '?limit=1');
    const [event] = json.events;
    const same = await call('get', '/api/v1/events/{id}', { id: event.id });
    assert.deepEqual(same.json, event);
    const explained = await call('get', '/api/v1/events/{id}/explain',
      { id: event.id }, {}, '?stream=all_events&filter={"platforms":["x"]}');
    assert.equal(explained.json.stream.matched, true);
    assert.equal(explained.json.filter.matched, false);
    const fits = await call('get', '/api/v1/events/{id}/explain',
      { id: event.id }, {}, '?filter={"min_priority":"low"}');
    assert.equal(fits.json.stream, null);
    assert.equal(fits.json.filter.members[0].why, null);
    const ofStream = await call('get', '/api/v1/events/{id}/explain',
      { id: event.id }, {}, '?stream=all_events');
    assert.equal(ofStream.json.filter, null);
    for (const [status, id] of [[404, event.id.replace(/.{4}$/, '0000')],
      [400, 'x']])
      assert.equal((await call('get', '/api/v1/events/{id}', { id })).status,
        status);
    for (const query of ['?limit=0', '?since=x', '?colour=red', '?cursor=x',
      '?processed_since=7', '?min_duration=-1'])
      assert.equal(
        (await call('get', '/api/v1/events', {}, {}, query)).status, 400, query);
    // Every parameter that is described is understood.
    const samples = {
      id: event.id, correlation_id: event.id, parent_event_id: event.id,
      priority: 'high,low', min_priority: 'high', processed: 'false',
      since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z',
      processed_since: '2026-01-01T00:00:00Z',
      processed_until: '2026-01-01T00:00:00Z',
      min_duration: '0', max_duration: '1.5',
      order: 'asc', limit: '5', cursor: '5',
    };
    for (let parameter of openapi.paths['/api/v1/events'].get.parameters) {
      if (parameter.$ref) parameter = resolve(parameter.$ref).node;
      const name = parameter.name === 'conditions'
        ? 'payload.repository.name' : parameter.name;
      const { status } = await call('get', '/api/v1/events', {}, {},
        `?${name}=${samples[name] ?? 'x'}`);
      assert.equal(status, 200, name);
    }
  });

  it('describe the rest of the answers', async () => {
    await call('get', '/api/v1/streams');
    await call('get', '/api/v1/streams/{name}', { name: 'all_events' });
    assert.equal((await call('get', '/api/v1/streams/{name}',
      { name: 'none' })).status, 404);
    for (const route of ['/api/v1/metrics', '/metrics', '/healthz', '/readyz',
      '/api/v1/dead-letters'])
      assert.equal((await call('get', route)).status, 200, route);
    const refused = await fetch(`${server.url}/events/stream/none`);
    check('/events/stream/{stream}', 'get', refused.status,
      refused.headers.get('content-type'), await refused.text());
    const stream = await fetch(`${server.url}/events/stream/all_events`);
    assert.match(stream.headers.get('content-type'), /^text\/event-stream/);
    seen.set('get /events/stream/{stream}', stream.status);
    await stream.body.cancel();
    const plain = await fetch(`${server.url}/ws/events/all_events`);
    check('/ws/events/{stream}', 'get', plain.status,
      plain.headers.get('content-type'), await plain.text());
  });

  it('describe correlation rules', async () => {
    const rules = '/api/v1/correlation-rules';
    const one = `${rules}/{name}`;
    const at = { name: 'contract' };
    const body = (more) => ({
      body: JSON.stringify({ key: 'contract:{payload.n}', ...more }),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal((await call('put', one, at, body())).status, 201);
    assert.equal((await call('put', one, at,
      body({ match: { platforms: ['x'] }, window: 60 }))).status, 200);
    assert.equal((await call('put', one, at, body({ key: 'same' }))).status, 422);
    const { json } = await call('get', rules);
    const from = (origin) =>
      json.correlation_rules.find((rule) => rule.origin === origin);
    assert.equal(from('store').name, 'contract');
    assert.equal((await call('delete', one,
      { name: from('built-in').name })).status, 409);
    assert.equal((await call('delete', one, at)).status, 204);
    assert.equal((await call('delete', one, at)).status, 404);
  });

  it('describe streams, their subscriptions and deliveries', async () => {
    const json = (body) => ({
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    const stream = '/api/v1/streams/{name}';
    const one = `${stream}/subscriptions/{id}`;
    const name = { name: 'orders' };
    assert.equal((await call('post', '/api/v1/streams', {}, json({
      ...name, filter: { event_types: ['order'] },
    }))).status, 201);
    assert.equal((await call('patch', stream, name,
      json({ description: 'What is bought' }))).status, 200);
    const receiver = await startReceiver(() => 500);
    cleanups.push(() => receiver.stop());
    const made = await call('post', `${stream}/subscriptions`, name, json({
      url: `${receiver.url}/a`, since: 'earliest', signature: 'v1a',
      headers: { 'x-a': 'b' }, rate_per_second: 0.5,
    }));
    assert.equal(made.status, 201);
    const both = { ...name, id: made.json.id };
    const { json: first } = await until('an attempt', async () => {
      const page = await call('get', `${one}/deliveries`, both);
      return page.json.deliveries.length > 0 && page;
    });
    assert.equal(first.deliveries[0].response_status, 500);
    assert.equal((await call('get', one, both)).json.statistics.errors, 1);
    assert.equal((await call('post', `${one}/test`, both)).json.delivered,
      false);
    assert.equal((await call('patch', one, both,
      json({ rotate_secret: true, active: false }))).json.secrets, 2);
    const event = { event_id: first.deliveries[0].event_id };
    assert.equal((await call('post', `${one}/replay`, both,
      json({ ...event, dry_run: true }))).json.matched, 1);
    assert.equal((await call('post', `${one}/replay`, both,
      json(event))).status, 202);
    assert.equal((await call('get', `${stream}/subscriptions`, name))
      .json.subscriptions.length, 1);
    assert.equal((await call('get', stream, name)).json.statistics.active, 1);
    assert.equal((await call('delete', one, both)).status, 204);
    assert.equal((await call('delete', stream, name)).status, 204);
  });

  it('describe every route, also with nonsense in it', async () => {
    const nothing = {
      platform: 'github', stream: 'none', name: 'none', event: 'none',
      id: '0190a1b2-0000-7000-8000-000000000001',
    };
    for (const [route, item] of Object.entries(openapi.paths))
      for (const method of methods) {
        if (!item[method]) continue;
        const names = [...route.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
        const parameters = Object.fromEntries(
          names.map((name) => [name, nothing[name] ?? nothing.id]));
        const body = item[method].requestBody ? '{"nonsense":' : undefined;
        await call(method, route, parameters, {
          body, headers: body ? { 'content-type': 'application/json' } : {},
        });
        // 404 for a path that is not there would be no answer to it.
        const unknown = await fetch(server.url + route.replace(/\{\w+\}/g, 'x')
          .replace('/x/events', '/github/events')
          .replace('/webhooks/x', '/webhooks/github'),
        { method: 'PROPFIND' });
        assert.equal(unknown.status, 405, route);
        assert.ok(unknown.headers.get('allow').split(', ')
          .includes(method.toUpperCase()), `${method} ${route}`);
        await unknown.text();
      }
  });

  it('describe what comes over the streams', async () => {
    const { document } =
      await fromFile(new Parser(), path('asyncapi.yaml')).parse();
    const messages = Object.fromEntries(document.messages().all()
      .map((message) => [message.name(),
        ajv.compile({ ...message.payload().json(), $id: undefined })]));
    const socket = await openWebSocket(server, 'all_events',
      { since: 'earliest', progress: 'true' });
    const source = await openEventSource(server, 'all_events',
      { since: 'earliest' });
    for (const reader of [socket, source])
      for (const { event } of await reader.reach(300))
        valid(messages.event, event);
    const sent = [
      { ack: 1 }, { pause: true }, { resume: true },
      { filter: { platforms: ['github'] } },
    ];
    for (const message of sent) {
      valid(messages.command, message);
      socket.send(message);
    }
    assert.equal(messages.command({ colour: 'red' }), false);
    socket.send({ colour: 'red' });
    // What does not match still moves the cursor.
    await until('a refusal', () =>
      socket.notes.some((note) => 'error' in note));
    await call('post', '/events', {}, custom({ event_type: 'not:wanted' }));
    await until('a cursor', () =>
      socket.notes.some((note) => 'cursor' in note));
    for (const note of socket.notes)
      valid('error' in note ? messages.refusal : messages.cursor, note);
    assert.equal(socket.notes.filter((note) => 'error' in note).length, 1);

    const { json } = await call('get', '/api/v1/streams/{name}/readers',
      { name: 'all_events' });
    const { readers } = json;
    assert.deepEqual(readers.map((reader) => reader.protocol).sort(),
      ['sse', 'websocket']);
    assert.equal(readers.find((reader) => reader.protocol === 'websocket')
      .acknowledged, 1);

    const texts = [];
    const cloud = new WebSocket(
      `${server.ws}/ws/events/all_events?since=earliest`, 'cloudevents.json');
    cloud.on('message', (data) => texts.push(data.toString('utf8')));
    await within('CloudEvents', until('them', () => texts.length >= 300));
    cloud.terminate();
    for (const body of texts) valid(messages.cloudEvent, JSON.parse(body));
    seen.set('get /ws/events/{stream}', 101);
  });

  it('were met by answers that are no refusals', () => {
    // The others need more than one empty server has: keys, a cluster, a dead
    // letter. Their refusals were checked above.
    for (const operation of [
      'post /events', 'options /events', 'post /{platform}/events',
      'post /webhooks/{platform}', 'get /ws/events/{stream}',
      'get /events/stream/{stream}', 'get /api/v1/events',
      'get /api/v1/events/{id}', 'get /api/v1/events/{id}/explain',
      'get /api/v1/correlations', 'get /api/v1/streams',
      'get /api/v1/streams/{name}', 'get /api/v1/streams/{name}/readers',
      'get /api/v1/dead-letters',
      'get /api/v1/metrics', 'get /metrics', 'get /healthz', 'get /readyz',
    ])
      assert.ok(seen.has(operation), operation);
  });
});

// SPDX-License-Identifier: Apache-2.0
// The load balancers of docs/cluster.md, as they stand there, before three
// nodes of which one dies and one is drained, and a page that came through them;
// and what a browser brings along from one node to another.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openEngine } from './support/engines.js';
import { Load } from './support/load.js';
import { closeReaders, openEventSource, openWebSocket } from './support/readers.js';
import { startServer, temporaryDirectory } from './support/server.js';
import { until, within } from './support/wait.js';

const guide = readFileSync(process.env.EVENTWEFT_E2E_CLUSTER_GUIDE, 'utf8');

/** The sample that follows "NAME:" in the guide, for these nodes. */
function sample(name, port, nodes) {
  const found = new RegExp(`^${name}:\\n\\n\`\`\`\\n([^]*?)^\`\`\``, 'm')
    .exec(guide);
  assert.ok(found, `docs/cluster.md has a sample for ${name}`);
  let text = found[1];
  nodes.forEach((node, i) => {
    const address = `10.0.0.${i + 1}:8080`;
    assert.ok(text.includes(address), address);
    text = text.replace(address, new URL(node.url).host);
  });
  return text.replace(/(listen|bind \S*:)( ?)8080/, (_, word) =>
    word === 'listen' ? `listen 127.0.0.1:${port}` : `bind 127.0.0.1:${port}`);
}

const programs = {
  haproxy(directory, text) {
    const file = join(directory, 'haproxy.cfg');
    writeFileSync(file, text);
    return ['/usr/sbin/haproxy', '-db', '-f', file];
  },
  nginx(directory, text) {
    const file = join(directory, 'nginx.conf');
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((what) => `${what}_temp_path ${directory}/${what};`).join('\n');
    writeFileSync(file, `daemon off;\npid ${directory}/nginx.pid;\n`
      + `${process.getuid() === 0 ? 'user root;\n' : ''}`
      + 'error_log stderr;\nevents {}\n'
      + `http {\naccess_log off;\n${places}\n${text}}\n`);
    return ['/usr/sbin/nginx', '-p', directory, '-c', file, '-e', 'stderr'];
  },
};

const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer().once('error', reject);
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

/** The balancer before the nodes, as readers and senders know a server. */
async function startBalancer(t, name, nodes) {
  const directory = temporaryDirectory(t);
  // The port may be taken again before the balancer comes to it.
  for (let attempt = 1; ; ++attempt) {
    const port = await freePort();
    const [program, ...args]
      = programs[name](directory, sample(name, port, nodes));
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    const ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    ended.catch(() => {});
    t.after(async () => {
      child.kill('SIGTERM');
      await within(`${name} to end`, ended);
    });
    const url = `http://127.0.0.1:${port}`;
    try {
      await until(`${name} to answer`, async () => {
        if (child.exitCode !== null) throw new Error(said);
        return (await fetch(`${url}/readyz`)).ok;
      });
      return { url, ws: url.replace('http', 'ws'), said: () => said };
    } catch (error) {
      if (attempt === 3 || child.exitCode === null) throw error;
    }
  }
}

const moreAnswers = (load, count) => {
  const goal = load.count + count;
  return until(`${count} more acknowledged events`, () => load.count >= goal);
};

describe('load balancers', { concurrency: 1 }, () => {
  let engine;
  before(async () => (engine = await openEngine('postgres')));
  after(async () => {
    await closeReaders();
    await engine?.close();
  });

  it('a ticket of one node opens a stream once, at whichever node', async (t) => {
    const store = engine.freshUrl();
    const cwd = temporaryDirectory(t);
    const nodes = [];
    for (const i of [1, 2])
      nodes.push(await startServer({
        store, cwd,
        args: ['--set', 'cluster.enabled=true',
          '--set', `cluster.name=node-${i}`,
          '--set', `store.spool_directory=${join(cwd, `spool-${i}`)}`],
      }));
    t.after(() => Promise.all(nodes.map((node) => node.stop())));
    const made = await fetch(`${nodes[0].url}/api/v1/keys`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'page', scopes: ['read'] }),
    });
    assert.equal(made.status, 201);
    const headers = {
      Authorization: `Bearer ${(await made.json()).key}`,
      'Content-Type': 'application/json',
    };
    await until('both nodes to know the key', async () => {
      const answers = await Promise.all(nodes.map((node) =>
        fetch(`${node.url}/api/v1/events`, { headers })));
      return answers.every(({ ok }) => ok);
    });
    for (const [here, there] of [nodes, nodes.toReversed()]) {
      const answer = await fetch(`${here.url}/api/v1/tickets`, {
        method: 'POST', headers,
        body: JSON.stringify({ stream: 'all_events' }),
      });
      const { ticket } = await answer.json();
      const open = async (node) => {
        const stream = await fetch(
          `${node.url}/events/stream/all_events?ticket=${ticket}`);
        await stream.body.cancel();
        return stream.status;
      };
      assert.equal(await open(there), 200);
      assert.equal(await open(here), 401);
      assert.equal(await open(there), 401);
    }
  });

  for (const name of Object.keys(programs))
    it(`the sample for ${name} carries senders and readers past a dead node`
      + ' and a drained one', async (t) => {
      const store = engine.freshUrl();
      const cwd = temporaryDirectory(t);
      const nodes = [];
      for (const i of [1, 2, 3])
        nodes.push(await startServer({
          store, cwd,
          args: ['--set', 'cluster.enabled=true',
            '--set', `cluster.name=node-${i}`,
            '--set', `store.spool_directory=${join(cwd, `spool-${i}`)}`],
        }));
      t.after(() => Promise.all(nodes.map((node) => node.stop())));
      const balancer = await startBalancer(t, name, nodes);
      const page = await fetch(`${balancer.url}/api/v1/streams`,
        { headers: { Origin: balancer.url } });
      assert.equal(page.status, 200, await page.text());
      const events = await openEventSource(balancer, 'all_events');
      t.after(() => events.kill());
      const socket = await openWebSocket(balancer, 'all_events');
      t.after(() => socket.kill());
      const load = new Load(() => [balancer], { senders: 6 });
      t.after(() => load.stop());
      await moreAnswers(load, 100);
      await until('live events', () => socket.last > 0 && events.last > 0);
      const survivor = nodes[2];

      await nodes[0].crash();
      await moreAnswers(load, 200);

      const sockets = [];
      const ends = [];
      for (let i = 0; i < 8; ++i) {
        const reader = await openWebSocket(balancer, 'all_events');
        t.after(() => reader.kill());
        reader.closed.then((end) => ends.push({ ...end, last: reader.last }));
        sockets.push(reader);
      }
      await moreAnswers(load, 100);
      await until('an event at each', () => sockets.every((s) => s.last > 0));

      const drained = await fetch(`${nodes[1].url}/api/v1/cluster/drain`,
        { method: 'POST' });
      assert.equal(drained.status, 202, await drained.text());
      await until('the drained node to be unready', async () =>
        !(await fetch(`${nodes[1].url}/readyz`)).ok);
      await moreAnswers(load, 200);
      await load.stop();
      await until('readers of the drained node to be told', () =>
        ends.length > 0);
      await until('it to be left', async () => {
        const cluster = await fetch(`${survivor.url}/api/v1/cluster`);
        return (await cluster.json()).nodes.some(({ name: node, state }) =>
          node === 'node-2' && state === 'left');
      });
      assert.ok(ends.length < sockets.length, 'the others stay');
      for (const { code, reason, last } of ends) {
        assert.equal(code, 1012, `closed with ${code} "${reason}"`);
        assert.equal(
          JSON.parse(reason).cursor, last, 'its cursor tells where to go on');
      }

      const log = await load.verify(survivor);
      await events.reachSeq(log.length);
      assert.deepEqual(events.seqs, log.map((event) => event.seq),
        'a reader that comes back through the balancer misses nothing');
      const resumed = await openWebSocket(
        balancer, 'all_events', { since: socket.last });
      t.after(() => resumed.kill());
      if (socket.last < log.length) await resumed.reachSeq(log.length);
      t.diagnostic(`${load.count} acknowledged, ${load.repeats} sent again`);
    });
});

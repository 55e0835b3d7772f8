// SPDX-License-Identifier: Apache-2.0
// Several nodes, and what becomes of them: each fault under load, then every
// promise is checked. The network is a switch of the test's own between
// network namespaces, so that links can be cut, delayed and made lossy.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import {
  authority, Cluster, Node, OwnerWatch, Reader, Senders, serialOf,
} from './support/cluster.js';
import { allWebhooks, headersOf, post, webhook } from './support/github.js';
import { headOf, wholeLog } from './support/readers.js';
import { patience, pause, until } from './support/wait.js';

const rows = [];
const kinds = ['webhook', 'processor'];

/** How long readers may be without events; sanitized programs take longer. */
const mostSilence = patience > 60_000 ? 4_000 : 2_000;

/** One event that everybody gets, when all is well again. */
async function settled(nodes, readers) {
  const head = await headOf(nodes[0]);
  await until(`readers to reach ${head}`, () =>
    readers.every((r) => r.cursor >= head), 25_000).catch((error) => {
    throw new Error(`${error.message}: ${readers.map((r) =>
      `${r.cursor} at ${r.node.name}`)}`, { cause: error });
  });
  return head;
}

describe('a cluster of three', { concurrency: 1 }, () => {
  const cluster = new Cluster(['node-a', 'node-b', 'node-c']);
  const [a, b, c] = [0, 1, 2];
  const database = 3;
  let nodes;

  before(async () => {
    await cluster.start();
    nodes = cluster.nodes;
  }, { timeout: 90_000 });
  after(async () => {
    await cluster.stop();
    if (rows.length > 0) console.table(rows);
  }, { timeout: 60_000 });

  /** `fault` under load; then everything that was promised is checked. */
  async function under(name, fault, { pauseLimit } = {}) {
    const { network, deliveries } = cluster;
    const start = await headOf(nodes[0]);
    const before = kinds.map((kind) => deliveries[kind].repeats);
    const readers = nodes.flatMap((_, i) =>
      [new Reader(nodes, i, start), new Reader(nodes, i, start)]);
    const senders = new Senders(nodes);
    const watch = new OwnerWatch(nodes);
    pulse = undefined;
    try {
      await pause(800);
      const extra = await fault({ network, readers, senders, watch });
      await network.reset();
      await cluster.whole();
      await pause(800);
      await senders.stop();
      await pulse?.stop();
      // What was spooled while the database was away is in the log soon.
      await until('the spools to be empty', async () => {
        const states = await Promise.all(nodes.map((n) => n.get('/readyz')));
        return states.every(({ json }) => json.status === 'ok'
          || json.state === 'ok');
      }, 30_000);
      const head = await settled(nodes, readers);
      for (const kind of kinds)
        await until(`each event at the ${kind}`, () =>
          deliveries[kind].missing(start + 1, head).length === 0, 60_000)
          .catch((error) => assert.fail(`${error.message}: ${
            deliveries[kind].missing(start + 1, head).slice(0, 20)}`));
      await watch.stop();

      const log = (await wholeLog(nodes[1])).filter((e) => e.seq > start);
      log.forEach((event, i) =>
        assert.equal(event.seq, start + 1 + i, 'the log has a hole'));
      const stored = new Set(log.map((e) => e.event_id));
      assert.equal(stored.size, log.length, 'something is stored twice');
      for (const { acknowledged } of [senders, ...(pulse ? [pulse] : [])])
        for (const delivery of acknowledged.keys())
          assert.ok(stored.has(delivery), `${delivery} is lost`);
      for (const reader of readers) {
        assert.deepEqual(reader.faults, [], 'a reader saw a gap or a double');
        assert.equal(reader.seqs.length, log.length);
      }
      assert.deepEqual(watch.faults, [], 'two nodes held the same work');
      for (const work of deliveries.works)
        assert.ok(watch.owners.has(work), `nobody was seen to own ${work}`);
      const sent = deliveries.webhook.seqs;
      sent.forEach((seq, i) =>
        assert.ok(i === 0 || seq > sent[i - 1], `${seq} after ${sent[i - 1]}`));
      const [hooksAgain, runAgain] = kinds.map((kind, i) =>
        deliveries[kind].repeats - before[i]);
      assert.ok(senders.acknowledged.size > 100, 'there was hardly any load');
      const delays = readers.flatMap((r) => r.delays(senders))
        .sort((x, y) => x - y);
      const longest = delays.at(-1) ?? '-';
      const silence = Math.max(...readers.map((r) => r.silence));
      if (pauseLimit) {
        assert.ok(delays.length > 0, 'nobody was watched');
        assert.ok(longest <= pauseLimit, `an event came ${longest} ms late`);
        assert.ok(silence <= pauseLimit, `nothing came for ${silence} ms`);
      }
      rows.push({
        fault: name, acknowledged: senders.acknowledged.size,
        stored: log.length, 'sent again': senders.repeats,
        readers: readers.length, moved: readers.reduce((n, r) => n + r.moves, 0),
        'delay p50 (ms)': delays[delays.length >> 1] ?? '-',
        'longest (ms)': longest, 'silence (ms)': silence, 'webhooks again': hooksAgain,
        'processed again': runAgain, ...extra,
      });
    } finally {
      await senders.stop();
      await pulse?.stop();
      readers.forEach((r) => r.stop());
      await watch.stop();
      await network.reset();
    }
  }

  /**
   * Sends to those nodes only that nothing happens to, so that silence at their
   * readers is the cluster's: the other senders wait for the node that is gone.
   */
  let pulse;
  const elsewhere = (readers, index) => {
    pulse = new Senders(nodes.filter((_, i) => i !== index), 2);
    const others = readers.filter((r) => r.node !== nodes[index]);
    others.forEach((r) => r.watch());
    return others;
  };
  const unwatch = (readers) => readers.forEach((r) => r.unwatch());

  const ownersOf = (watch, name) =>
    [...watch.owners].filter(([, owner]) => owner === name).map(([w]) => w);

  /** How long until all that a node owned is somebody else's. */
  async function takeover(watch, name) {
    const works = ownersOf(watch, name);
    const begin = Date.now();
    await until(`${works} to be taken over`, () =>
      works.every((w) => watch.owners.get(w) !== name), 15_000);
    return works.length === 0 ? '-' : Date.now() - begin;
  }

  /** The node that owns most. */
  const busiest = (watch) =>
    [a, b, c].reduce((best, i) =>
      ownersOf(watch, nodes[i].name).length
        > ownersOf(watch, nodes[best].name).length ? i : best, a);

  it('carries events from every node to the readers of all', async () => {
    await under('none', async ({ readers }) => {
      elsewhere(readers, -1);
      await pause(2_000);
      unwatch(readers);
    }, { pauseLimit: mostSilence });
  });

  /** Makes a correlation rule and takes it back, each seen by all in time. */
  async function changeRule() {
    const rules = '/api/v1/correlation-rules';
    const known = (n) => fetch(`${n.url}${rules}`).then((r) => r.json())
      .then((all) => all.correlation_rules.some((r) => r.name === 'everywhere'));
    for (const [init, status, there] of [
      [{
        method: 'PUT', body: JSON.stringify({ key: 'everywhere:{payload.n}' }),
        headers: { 'content-type': 'application/json' },
      }, 201, true],
      [{ method: 'DELETE' }, 204, false],
    ]) {
      const start = Date.now();
      const answer = await fetch(`${nodes[a].url}${rules}/everywhere`, init);
      assert.equal(answer.status, status);
      await until('all nodes to know', async () =>
        (await Promise.all(nodes.map(known))).every((x) => x === there), 5_000);
      assert.ok(Date.now() - start <= 1_000, `${Date.now() - start} ms`);
    }
  }

  it('changes something on all nodes within a second', async () => {
    const seen = () => nodes.map((n) =>
      n.said.split('the log level is debug now').length - 1);
    const before = seen();
    // The first time by links and database, the second time by the database
    // alone.
    for (const cut of [false, true]) {
      if (cut) await cluster.network.link(a, c, false);
      if (cut) await pause(4_000);
      const old = seen();
      const start = Date.now();
      const answer = await fetch(
        `${nodes[a].url}/api/v1/cluster/log-level/debug`, { method: 'POST' });
      assert.equal(answer.status, 200);
      await until('all nodes to have changed', () =>
        seen().every((n, i) => n > old[i]), 5_000);
      assert.ok(Date.now() - start <= 1_000, `${Date.now() - start} ms`);
      await changeRule();
    }
    await cluster.network.reset();
    assert.ok(seen().every((n, i) => n >= before[i] + 2));
    const bad = await fetch(
      `${nodes[a].url}/api/v1/cluster/log-level/loud`, { method: 'POST' });
    assert.equal(bad.status, 422);
    await fetch(`${nodes[a].url}/api/v1/cluster/log-level/info`,
      { method: 'POST' });
    await cluster.whole();
  });

  it('ends with one log level where two are set at once', async () => {
    const set = (i, level) => fetch(
      `${nodes[i].url}/api/v1/cluster/log-level/${level}`, { method: 'POST' });
    const level = async (i) => {
      const all = await fetch(`${nodes[i].url}/api/v1/log-level`)
        .then((r) => r.json());
      return all.log_levels.find((x) => x.component === 'access').level;
    };
    for (let round = 0; round < 8; ++round) {
      await Promise.all([set(a, 'warn'), set(b, 'error')]);
      await until('all nodes to have one level', async () =>
        new Set(await Promise.all([a, b, c].map(level))).size === 1, 5_000);
    }
    await set(a, 'info');
    await until('all nodes to have that level', async () =>
      (await Promise.all([a, b, c].map(level))).every((x) => x === 'info'),
    5_000);
  });

  it('survives kill -9 of a node', async () => {
    await under('kill -9', async ({ readers, watch }) => {
      const i = busiest(watch);
      const others = elsewhere(readers, i);
      nodes[i].kill('SIGKILL');
      await nodes[i].exited;
      const took = await takeover(watch, nodes[i].name);
      unwatch(others);
      if (took !== '-') assert.ok(took <= 10_500, `takeover took ${took} ms`);
      nodes[i].start();
      return { 'takeover (ms)': took };
    }, { pauseLimit: mostSilence });
  });

  it('survives a node that is frozen for 30 s', async () => {
    await under('SIGSTOP 30 s', async ({ readers, watch }) => {
      const i = busiest(watch);
      const others = elsewhere(readers, i);
      nodes[i].kill('SIGSTOP');
      const begin = Date.now();
      const took = await takeover(watch, nodes[i].name);
      await pause(30_000 - (Date.now() - begin));
      unwatch(others);
      nodes[i].kill('SIGCONT');
      return { 'takeover (ms)': took };
    }, { pauseLimit: mostSilence });
  });

  /** What nodes have others append. */
  async function relayed() {
    const texts = await Promise.all(nodes.map((n) =>
      fetch(`${n.url}/metrics`).then((r) => r.text())));
    return texts
      .flatMap((text) =>
        [...text.matchAll(/^eventweft_link_relayed_events_total\S* (\d+)/gm)])
      .reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Many at once, at all nodes, about the same pieces of work. */
  const inEachOthersWay = (hooks) =>
    Promise.all(nodes.flatMap((n) => Array.from({ length: 8 }, async () => {
      for (let hook; (hook = hooks.pop());) await post(n, hook);
    })));

  /** The node that appends for all, once it does so. */
  async function appender() {
    const before = await relayed();
    const hooks = allWebhooks();
    await until('the others to hand over what they take', async () => {
      await inEachOthersWay(hooks.splice(0, 72));
      return await relayed() > before;
    }, 15_000);
    const { appender: name } = await nodes[a].status();
    return nodes.findIndex((n) => n.name === name);
  }

  for (const [name, pauseLimit, end, back] of [
    ['kill -9', mostSilence, async (i) => {
      nodes[i].kill('SIGKILL');
      await nodes[i].exited;
    }, (i) => nodes[i].start()],
    ['SIGSTOP for 6 s', mostSilence, (i) => nodes[i].kill('SIGSTOP'),
      (i) => nodes[i].kill('SIGCONT')],
    // What it spools meanwhile comes when it is back.
    ['a cut from the database', undefined, (i, network) =>
      network.link(i, database, false), (_, network) => network.reset()],
  ])
    it(`survives ${name} where one node appends for all`, async () => {
      await under(`appender: ${name}`, async ({ network, readers }) => {
        const i = await appender();
        const others = elsewhere(readers, i);
        await end(i, network);
        await pause(6_000);
        unwatch(others);
        await back(i, network);
      }, { pauseLimit });
    });

  it('survives a link that is cut', async () => {
    await under('link cut', async ({ network, readers }) => {
      elsewhere(readers, -1);
      await network.link(a, b, false);
      await pause(6_000);
      unwatch(readers);
    }, { pauseLimit: mostSilence });
  });

  it('survives a node that is cut from its peers', async () => {
    await under('cut from peers', async ({ network, readers }) => {
      elsewhere(readers, -1);
      await network.link(a, c, false);
      await network.link(b, c, false);
      await pause(6_000);
      unwatch(readers);
    }, { pauseLimit: mostSilence });
  });

  it('survives a node that is cut from the database', async () => {
    await under('cut from database', async ({ network, readers, watch }) => {
      const i = busiest(watch);
      const others = elsewhere(readers, i);
      await network.link(i, database, false);
      const took = await takeover(watch, nodes[i].name);
      await pause(4_000);
      unwatch(others);
      return { 'takeover (ms)': took };
    });
  });

  it('survives a delay of 200 ms', async () => {
    await under('delay 200 ms', async ({ network, readers }) => {
      elsewhere(readers, -1);
      await network.between('delay', 200, [a, b, c]);
      await pause(8_000);
      unwatch(readers);
    }, { pauseLimit: mostSilence });
  });

  it('survives the loss of every twentieth packet', async () => {
    await under('loss 5 %', async ({ network, readers }) => {
      elsewhere(readers, -1);
      await network.between('loss', 5, [a, b, c, database]);
      await pause(8_000);
      unwatch(readers);
    });
  });

  it('survives a restart of the database', async () => {
    await under('database restart', async () => {
      await cluster.database.stop('SIGQUIT');
      await pause(2_000);
      await cluster.database.start();
      await pause(2_000);
    });
  });

  it('sends readers elsewhere when a node is drained', async () => {
    const i = c;
    await under('drain', async ({ readers, watch }) => {
      const here = readers.filter((r) => r.node === nodes[i]);
      const answer = await fetch(`${nodes[i].url}/api/v1/cluster/drain`,
        { method: 'POST' });
      assert.equal(answer.status, 202);
      assert.equal((await nodes[i].get('/readyz')).status, 503);
      const took = await takeover(watch, nodes[i].name);
      await until('the node to have left', async () =>
        (await nodes[i].status()).left, 15_000);
      for (const reader of here) {
        assert.ok(reader.moves > 0, 'a reader stayed');
        const [{ code, reason }] = reader.closes;
        assert.equal(code, 1012);
        assert.match(reason, /\d+/);
      }
      nodes[i].kill('SIGTERM');
      assert.equal((await nodes[i].exited).code, 0);
      nodes[i].start();
      return { 'takeover (ms)': took };
    });
  });

  it('has not left while its spool has what only it has', async () => {
    const { network } = cluster;
    const node = nodes[c];
    await network.link(c, database, false);
    await until('an event to be spooled', async () => {
      const hook = webhook('ping', { zen: 'Keep it' });
      const answer = await fetch(`${node.url}/github/events`, {
        method: 'POST', headers: await headersOf(hook), body: hook.body,
      });
      return answer.status === 202;
    }, 30_000);
    await until('the spool to be counted', async () =>
      (await node.status()).spooled > 0, 5_000);
    const answer = await fetch(`${node.url}/api/v1/cluster/drain`,
      { method: 'POST' });
    assert.equal(answer.status, 202);
    await until('it to say what keeps it', () =>
      /still in the spool/.test(node.said), 15_000);
    const held = await node.status();
    assert.equal(held.left, false);
    assert.ok(held.spooled > 0);
    await network.reset();
    await until('the node to have left', async () =>
      (await node.status()).left, 30_000);
    assert.equal((await node.status()).spooled, 0);
    node.kill('SIGTERM');
    assert.equal((await node.exited).code, 0);
    node.start();
    await cluster.whole();
  });

  it('refuses strangers and leaves the links of others alone', async () => {
    const { network, certificates } = cluster;
    const before = nodes.map((n) => n.said.length);
    const stillUp = async () => {
      for (const node of nodes) {
        const { nodes: all } = await node.status();
        for (const other of all.filter((n) => nodes.some((x) =>
          x.name === n.name) && n.name !== node.name))
          assert.equal(other.link.state, 'up', `${node.name} to ${other.name}`);
      }
    };
    // Random bytes on the port.
    for (let n = 0; n < 5; ++n)
      network.runInside(b, 'bash', ['-c',
        `head -c 20000 /dev/urandom > /dev/tcp/${network.address(a)}/7400`],
      { stdio: 'ignore' });
    await pause(1_500);
    await stillUp();
    // Its certificate is from another authority.
    const other = authority(`${cluster.home}/other`);
    const files = other.issue('aa-stranger');
    const stranger = new Node(cluster, b, 'aa-stranger');
    stranger.url = `http://${network.quiet(b)}:8090`;
    stranger.start({
      files, ca: other.ca, listen: '0.0.0.0:8090',
      settings: { 'cluster.listen': `${network.address(b)}:7401` },
    });
    await until('it to have tried', () =>
      /link to node node-[abc] is down: no connection/.test(stranger.said),
    20_000).catch(() => assert.fail(stranger.said));
    // TLS turns it away before it has a name there: it is missed by its name.
    await until('all to miss it', () => nodes.every((n) =>
      /node aa-stranger is alive, but makes no link to this/.test(n.said)),
    20_000);
    const seen = (await nodes[a].status()).nodes
      .find((n) => n.name === 'aa-stranger');
    assert.match(seen.link.state, /^waiting/);
    assert.equal(seen.link.behind, null);
    await stillUp();
    stranger.kill('SIGTERM');
    await stranger.exited;
    // A right certificate for another name does not even start.
    const misnamed = new Node(cluster, b, 'misnamed');
    misnamed.start({ files: certificates.issue('somebody-else') });
    assert.equal((await misnamed.exited).code, 2);
    assert.match(misnamed.said, /not for the name misnamed/);
    // Neither does one whose certificate can't be read.
    const unreadable = new Node(cluster, b, 'unreadable');
    unreadable.start({ files: { certificate: '/nowhere', key: '/nowhere' } });
    assert.equal((await unreadable.exited).code, 2);
    assert.match(unreadable.said, /\/nowhere: no such file/);
    // Nor one without TLS that others could reach.
    const bare = new Node(cluster, b, 'bare');
    bare.start({ settings: { 'cluster.insecure': 'true' } });
    assert.equal((await bare.exited).code, 2);
    assert.match(bare.said, /loopback only/);
    await stillUp();
    assert.ok(nodes.every((n, i) => n.said.length >= before[i]));
  });

  it('takes a new certificate while it runs', async () => {
    const { certificates, network } = cluster;
    const fresh = certificates.issue('node-b', 'node-b-fresh');
    const old = { certificate: `${cluster.home}/certificates/node-b.pem`,
      key: `${cluster.home}/certificates/node-b.key` };
    // Half of a change, and rubbish: the one before goes on.
    writeFileSync(old.certificate, 'rubbish');
    await until('the fault to be logged', () =>
      /new certificate is not used/.test(nodes[b].said), 15_000);
    writeFileSync(old.certificate, readFileSync(fresh.certificate));
    writeFileSync(old.key, readFileSync(fresh.key));
    await until('the new one to be seen', () =>
      /a new certificate is there/.test(nodes[b].said), 15_000);
    // A new connection, made with it.
    const asked = certificates.issue('node-a', 'node-a-asking');
    await until('the new one to be shown', () =>
      network.shownAt(b, 7400, asked) === serialOf(fresh), 15_000);
    nodes[a].kill('SIGKILL');
    await nodes[a].exited;
    nodes[a].start();
    await cluster.whole();
  });
});

// SPDX-License-Identifier: Apache-2.0
// Three nodes and a PostgreSQL, each in a network namespace of its own, on a
// switch that delays, loses and cuts what it is told to. A second network,
// which is never disturbed, connects each node with this process: what the
// readers and senders see is the nodes' doing.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync,
  rmSync, writeFileSync,
} from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { headersOf, webhook } from './github.js';
import { api, startReceiver } from './receiver.js';
import { secret } from './server.js';
import { pause, until } from './wait.js';

const binary = process.env.EVENTWEFT_BIN;
const switchBinary = process.env.EVENTWEFT_TEST_NETWORK;
const quiet = { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' };
const sh = (command, ...args) => execFileSync(command, args, quiet);

// -- the network ---------------------------------------------------------------

export function requireNamespaces() {
  const name = `ewp${process.pid}`;
  try {
    sh('ip', 'netns', 'add', name);
    sh('ip', 'netns', 'del', name);
  } catch (error) {
    throw new Error(
      'the cluster tests make network namespaces (package iproute2) and need '
      + `root for it: ${error.stderr || error.message}`);
  }
}

/** Ports of the switch, by number: nodes first, the database last. */
export class Network {
  #commands = [];
  constructor(count) {
    this.count = count;
    this.tag = `ew${process.pid % 100_000}`;
    this.subnet = `10.${64 + (process.pid % 64)}`;
    this.child = spawn(switchBinary, [this.tag, String(count)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.child.stdout });
    this.#lines.on('line', (line) => this.#commands.shift()?.(line));
  }
  #lines;
  #say(text) {
    return new Promise((resolve) => {
      this.#commands.push(resolve);
      if (text) this.child.stdin.write(`${text}\n`);
    });
  }
  namespace = (i) => `${this.tag}n${i}`;
  /** On the switch. */
  address = (i) => `${this.subnet}.200.${i + 1}`;
  /** On the quiet network. */
  quiet = (i) => `${this.subnet}.${i}.2`;
  /** Where every node reaches this process, whatever becomes of the switch. */
  get here() {
    return `${this.subnet}.0.1`;
  }
  async open() {
    const ready = await this.#say();
    if (ready !== 'ready') throw new Error(`no switch: ${ready}`);
    for (let i = 0; i < this.count; ++i) {
      const ns = this.namespace(i);
      sh('ip', 'netns', 'add', ns);
      sh('ip', 'link', 'set', `${this.tag}${i}`, 'netns', ns);
      const inside = (...args) => sh('ip', '-n', ns, ...args);
      inside('link', 'set', 'lo', 'up');
      inside('addr', 'add', `${this.address(i)}/24`, 'dev', `${this.tag}${i}`);
      inside('link', 'set', `${this.tag}${i}`, 'up');
      const outer = `${this.tag}q${i}`;
      sh('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'quiet',
        'netns', ns);
      sh('ip', 'addr', 'add', `${this.subnet}.${i}.1/24`, 'dev', outer);
      sh('ip', 'link', 'set', outer, 'up');
      inside('addr', 'add', `${this.quiet(i)}/24`, 'dev', 'quiet');
      inside('link', 'set', 'quiet', 'up');
      if (i > 0)
        inside('route', 'add', this.here, 'via', `${this.subnet}.${i}.1`);
    }
  }
  async tell(text) {
    const answer = await this.#say(text);
    if (answer !== 'ok') throw new Error(`${text}: ${answer}`);
  }
  link = (a, b, up) => this.tell(`link ${a} ${b} ${up ? 'up' : 'down'}`);
  reset = () => this.tell('reset');
  async between(what, value, ports) {
    for (const a of ports)
      for (const b of ports) if (a < b) await this.tell(`${what} ${a} ${b} ${value}`);
  }
  inside(i, command, args, options) {
    return spawn('ip', ['netns', 'exec', this.namespace(i), command, ...args],
      options);
  }
  /** Likewise, but waits for its end. */
  runInside(i, command, args, options) {
    return spawnSync('ip', ['netns', 'exec', this.namespace(i), command, ...args],
      { timeout: 5_000, ...options });
  }
  /** The serial number of the certificate that node `i` shows on its port to
   *  one that has `files`. */
  shownAt(i, port, files) {
    const said = this.runInside(0, 'openssl',
      ['s_client', '-connect', `${this.address(i)}:${port}`,
        '-cert', files.certificate, '-key', files.key],
      { input: '', encoding: 'utf8' }).stdout;
    const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/
      .exec(said ?? '');
    return pem ? new X509Certificate(pem[0]).serialNumber : '';
  }
  close() {
    for (let i = 0; i < this.count; ++i) {
      try {
        sh('ip', 'netns', 'del', this.namespace(i));
      } catch {
        // It was never made.
      }
    }
    this.child.stdin.end();
  }
}

// -- certificates ----------------------------------------------------------------

/** A private authority; `issue(name)` gives paths of a node's PEM files. */
export function authority(directory) {
  mkdirSync(directory, { recursive: true });
  const at = (name) => join(directory, name);
  sh('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
    '/CN=eventweft test', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  return {
    ca: at('ca.pem'),
    issue(name, file = name) {
      sh('openssl', 'req', '-newkey', 'ec', '-pkeyopt',
        'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
        '-keyout', at(`${file}.key`), '-out', at(`${file}.csr`));
      writeFileSync(at(`${file}.ext`), `subjectAltName=DNS:${name}\n`);
      sh('openssl', 'x509', '-req', '-in', at(`${file}.csr`), '-CA',
        at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2',
        '-extfile', at(`${file}.ext`), '-out', at(`${file}.pem`));
      return { certificate: at(`${file}.pem`), key: at(`${file}.key`) };
    },
  };
}

export const serialOf = (files) =>
  new X509Certificate(readFileSync(files.certificate)).serialNumber;

// -- PostgreSQL --------------------------------------------------------------------

function postgresOwner() {
  const id = (flag) => Number(sh('id', flag, 'postgres'));
  return { uid: id('-u'), gid: id('-g') };
}

export class Database {
  constructor(network, port) {
    this.network = network;
    this.port = port;
    const versions = readdirSync('/usr/lib/postgresql').map(Number);
    this.bin = process.env.EVENTWEFT_PG_BIN
      ?? `/usr/lib/postgresql/${Math.max(...versions)}/bin`;
    this.home = mkdtempSync(join(tmpdir(), 'eventweft-cluster-pg-'));
    this.user = postgresOwner();
    chownSync(this.home, this.user.uid, this.user.gid);
    chmodSync(this.home, 0o755);
    execFileSync(join(this.bin, 'initdb'),
      ['-D', join(this.home, 'data'), '-U', 'eventweft', '-A', 'trust', '-E',
        'UTF8', '--locale=C.UTF-8', '--no-sync'],
      { ...this.user, cwd: this.home, stdio: 'ignore' });
    writeFileSync(join(this.home, 'data', 'pg_hba.conf'),
      'local all all trust\nhost all all all trust\n');
  }
  async start() {
    this.child = this.network.inside(this.port, 'setpriv', [
      `--reuid=${this.user.uid}`, `--regid=${this.user.gid}`, '--clear-groups',
      join(this.bin, 'postgres'), '-D', join(this.home, 'data'),
      '-k', this.home, '-c', 'listen_addresses=*', '-c', 'max_connections=100',
      '-c', 'shared_buffers=64MB',
    ], { cwd: this.home, stdio: ['ignore', 'ignore', 'pipe'] });
    this.log = '';
    this.child.stderr.setEncoding('utf8').on('data', (t) => (this.log += t));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    await until('PostgreSQL to start', async () => {
      this.sql('SELECT 1', 'postgres');
      return true;
    }).catch((error) => {
      throw new Error(`PostgreSQL does not start:\n${this.log}`,
        { cause: error });
    });
  }
  sql(text, database = 'hub') {
    return sh(join(this.bin, 'psql'), '-h', this.home, '-U', 'eventweft',
      '-d', database, '-Atqc', text).trim();
  }
  get url() {
    return `postgresql://eventweft@${this.network.address(this.port)}/hub`;
  }
  async stop(signal = 'SIGINT') {
    this.child.kill(signal);
    await this.ended;
  }
  remove() {
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

// -- webhooks and processors ---------------------------------------------------------

const hookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** What one endpoint was sent: the seqs, without repeats, as they came. */
class Delivered {
  seqs = [];
  repeats = 0;
  #seen = new Set();
  add(seq) {
    if (this.#seen.has(seq)) {
      this.repeats += 1;
      return;
    }
    this.#seen.add(seq);
    this.seqs.push(seq);
  }
  missing(first, last) {
    const out = [];
    for (let seq = first; seq <= last; ++seq)
      if (!this.#seen.has(seq)) out.push(seq);
    return out;
  }
}

/**
 * An ordered subscription of everything, and a processor that posts everything:
 * each has one owner, and what they are sent comes here.
 */
export class Deliveries {
  webhook = new Delivered();
  processor = new Delivered();
  async open(host) {
    this.receiver = await startReceiver(({ path, body }) => {
      this[path.slice(1)].add(JSON.parse(body).seq);
      return 200;
    }, host);
    this.url = this.receiver.url;
  }
  async subscribe(node) {
    const answer = await api(node, 'POST',
      '/streams/all_events/subscriptions', {
        type: 'webhook', url: `${this.url}/webhook`, ordered: true,
        since: 'earliest',
      });
    if (answer.status !== 201)
      throw new Error(`no subscription: ${JSON.stringify(answer.json)}`);
    this.works = [`subscription:${answer.json.id}`, 'processor:seen'];
  }
  stop() {
    return this.receiver?.stop();
  }
}

// -- nodes -------------------------------------------------------------------------

export class Node {
  constructor(cluster, index, name) {
    this.cluster = cluster;
    this.index = index;
    this.name = name;
    this.said = '';
    const { network } = cluster;
    this.url = `http://${network.quiet(index)}:8080`;
    this.ws = this.url.replace('http', 'ws');
    this.cwd = join(cluster.home, name);
    mkdirSync(this.cwd, { recursive: true });
    cluster.everybody.add(this);
  }
  start(extra = {}) {
    const { network, database, certificates } = this.cluster;
    const own = extra.files ?? certificates.issue(this.name);
    const settings = {
      'cluster.enabled': 'true',
      'cluster.name': this.name,
      'cluster.listen': `${network.address(this.index)}:7400`,
      'cluster.certificate': own.certificate,
      'cluster.key': own.key,
      'cluster.ca': extra.ca ?? certificates.ca,
      'cluster.drain_delay': '0.2',
      'database.max_connections': '6',
      'database.connect_timeout': '2',
      'database.statement_timeout': '8',
      'database.lock_timeout': '4',
      'server.shutdown_timeout': '10',
      // The network is the test's own.
      'server.insecure': 'true',
      'webhooks.allow_private_networks': 'true',
      'processors.seen.url': `${this.cluster.deliveries.url}/processor`,
      'processors.seen.secret': hookSecret,
      ...extra.settings,
    };
    this.child = network.inside(this.index, binary, [
      'serve', '--listen', extra.listen ?? '0.0.0.0:8080', '--store',
      extra.store ?? database.url,
      ...Object.entries(settings).flatMap(([k, v]) => ['--set', `${k}=${v}`]),
    ], {
      cwd: this.cwd,
      env: { ...process.env, NO_COLOR: '1', GITHUB_WEBHOOK_SECRET: secret },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const hear = (text) => (this.said += text);
    this.child.stdout.setEncoding('utf8').on('data', hear);
    this.child.stderr.setEncoding('utf8').on('data', hear);
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => resolve({ code, signal })));
    return this;
  }
  get running() {
    return this.child?.exitCode === null && this.child?.signalCode === null;
  }
  async get(path, limit = 3_000) {
    const answer = await fetch(this.url + path,
      { signal: AbortSignal.timeout(limit) });
    return { status: answer.status, json: await answer.json() };
  }
  async json(path) {
    const { status, json } = await this.get(path, 20_000);
    if (status !== 200) throw new Error(`${path}: ${status}`);
    return json;
  }
  async status() {
    return (await this.get('/api/v1/cluster')).json;
  }
  /** Ready, and linked with so many peers. */
  async ready(peers) {
    await until(`${this.name} to be ready with ${peers} links`, async () => {
      if (!this.running) throw new Error(`it ended:\n${this.said}`);
      const ready = await this.get('/readyz', 1_000);
      const { nodes } = await this.status();
      const up = nodes.filter((n) => n.link?.state === 'up').length;
      return ready.status === 200 && up >= peers;
    }, 40_000).catch(async (error) => {
      const state = await this.status().catch(() => undefined);
      throw new Error(`${this.name}: ${error.message}\n${JSON.stringify(state)}`
        + `\n${this.said.slice(-4_000)}`, { cause: error });
    });
  }
  kill(signal) {
    this.child.kill(signal);
  }
}

/** What is left when this process is told to end. */
const running = new Set();
process.on('exit', () => running.forEach((cluster) => cluster.abandon()));
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => process.exit(1));

export class Cluster {
  /** Its nodes, and the strangers that a test made. */
  everybody = new Set();
  deliveries = new Deliveries();
  constructor(names) {
    requireNamespaces();
    running.add(this);
    this.home = mkdtempSync(join(tmpdir(), 'eventweft-cluster-'));
    this.network = new Network(names.length + 1);
    this.certificates = authority(join(this.home, 'certificates'));
    this.names = names;
  }
  async start() {
    await this.network.open();
    await this.deliveries.open(this.network.here);
    this.database = new Database(this.network, this.names.length);
    await this.database.start();
    this.database.sql('CREATE DATABASE hub', 'postgres');
    this.nodes = this.names.map((name, i) => new Node(this, i, name));
    for (const node of this.nodes) node.start();
    await this.whole();
    await this.deliveries.subscribe(this.nodes[0]);
  }
  /** Everybody is there and linked with everybody. */
  async whole() {
    for (const node of this.nodes) await node.ready(this.nodes.length - 1);
  }
  abandon() {
    for (const node of this.everybody) node.child?.kill('SIGKILL');
    this.database?.child?.kill('SIGQUIT');
    this.network.close();
    this.network.child.kill('SIGKILL');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
  async stop() {
    running.delete(this);
    for (const node of this.nodes ?? []) {
      if (!node.running) continue;
      node.kill('SIGCONT');
      node.kill('SIGTERM');
    }
    await Promise.race([
      Promise.all((this.nodes ?? []).map((n) => n.exited)), pause(12_000),
    ]);
    for (const node of this.everybody)
      if (node.running) node.kill('SIGKILL');
    if (this.database?.child) await this.database.stop('SIGQUIT');
    this.database?.remove();
    await this.deliveries.stop();
    this.network.close();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

// -- senders and readers ---------------------------------------------------------

/** Senders at different nodes speak of the same pull requests. */
const pullRequests = 40;

function aboutPullRequest(number, count) {
  const n = 1 + count % pullRequests;
  const sha = String(n).padStart(40, '0');
  return webhook('pull_request', {
    action: 'edited', number: n, sender: { login: `sender-${number}` },
    pull_request: { number: n, title: `Change ${n}`, state: 'open',
      html_url: `https://github.com/octo/repo/pull/${n}`,
      head: { ref: `change-${n}`, sha } },
    repository: { id: 1, full_name: 'octo/repo', default_branch: 'main',
      html_url: 'https://github.com/octo/repo' },
    count,
  });
}

/** Sends to all nodes in turn, again and elsewhere until it is promised. */
export class Senders {
  acknowledged = new Map();
  /** When each seq was promised. */
  promised = new Map();
  repeats = 0;
  refused = new Map();
  #stopped = false;
  #workers = [];
  constructor(nodes, count = 8) {
    this.nodes = nodes;
    for (let n = 0; n < count; ++n) this.#workers.push(this.#send(n));
  }
  async #send(number) {
    for (let count = 0; !this.#stopped; ++count) {
      const hook = aboutPullRequest(number, count);
      const headers = await headersOf(hook);
      for (let attempt = 0; ; ++attempt) {
        const node = this.nodes[(number + count + attempt) % this.nodes.length];
        try {
          const answer = await fetch(`${node.url}/github/events`, {
            method: 'POST', headers, body: hook.body,
            signal: AbortSignal.timeout(1_500),
          });
          const json = await answer.json();
          if (answer.status >= 200 && answer.status < 300) {
            this.acknowledged.set(hook.delivery, json);
            if (json.seq) this.promised.set(json.seq, Date.now());
            break;
          }
          const seen = this.refused.get(answer.status) ?? 0;
          this.refused.set(answer.status, seen + 1);
        } catch {
          // No answer: it may or may not have been stored.
        }
        this.repeats += 1;
        if (this.#stopped) return;
        await pause(20);
      }
      await pause(5);
    }
  }
  async stop() {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }
}

/**
 * A WebSocket reader that begins at `home` and goes on at another node, with
 * its cursor, when that one closes or falls silent while the log grows.
 */
export class Reader {
  seqs = [];
  faults = [];
  moves = 0;
  closes = [];
  /** When each seq came, while `watching`. */
  arrived = new Map();
  watching = false;
  #stopped = false;
  constructor(nodes, home, since) {
    this.nodes = nodes;
    this.at = home;
    this.cursor = since;
    this.heard = Date.now();
    this.#open();
    this.timer = setInterval(() => this.#look(), 200);
  }
  get node() {
    return this.nodes[this.at % this.nodes.length];
  }
  watch() {
    this.watching = true;
    this.heardLast = Date.now();
  }
  unwatch() {
    this.#hear(Date.now());
    this.watching = false;
  }
  /** The longest time without an event while watching. */
  silence = 0;
  #hear(now) {
    if (!this.watching) return;
    this.silence = Math.max(this.silence, now - this.heardLast);
    this.heardLast = now;
  }
  /** From an event's promise to its coming here, each in milliseconds. */
  delays(senders) {
    return [...this.arrived].flatMap(([seq, at]) => {
      const promised = senders.promised.get(seq);
      return promised === undefined ? [] : [Math.max(0, at - promised)];
    });
  }
  #open() {
    const socket = new WebSocket(
      `${this.node.ws}/ws/events/all_events?since=${this.cursor}`,
      { handshakeTimeout: 2_000 });
    this.socket = socket;
    this.opened = Date.now();
    socket.on('message', (data) => {
      if (socket !== this.socket) return;
      const { seq } = JSON.parse(data.toString('utf8'));
      if (seq === undefined) return;
      const now = Date.now();
      this.#hear(now);
      if (this.watching) this.arrived.set(seq, now);
      this.heard = now;
      if (seq !== this.cursor + 1)
        this.faults.push(`${seq} after ${this.cursor} at ${this.node.name}`);
      this.cursor = seq;
      this.seqs.push(seq);
    });
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      if (socket !== this.socket || this.#stopped) return;
      this.closes.push({ code, reason: reason.toString() });
      this.#move();
    });
  }
  #move() {
    this.at += 1;
    this.moves += 1;
    setTimeout(() => this.#stopped || this.#open(), 50);
  }
  /** As a client with a time-out of its own does. */
  #look() {
    const now = Date.now();
    if (now - Math.max(this.heard, this.opened) < 4_000) return;
    const old = this.socket;
    this.socket = undefined;
    old?.terminate();
    this.opened = now;
    this.#move();
  }
  stop() {
    this.#stopped = true;
    clearInterval(this.timer);
    this.socket?.terminate();
  }
}

/** Looks all the time whether two nodes hold the same work. */
export class OwnerWatch {
  faults = [];
  owners = new Map();
  samples = 0;
  #stopped = false;
  constructor(nodes) {
    this.nodes = nodes;
    this.done = this.#run();
  }
  async #held() {
    const all = await Promise.all(this.nodes.map(async (node) => {
      try {
        const { json } = await node.get('/api/v1/cluster', 700);
        return json.held.map((h) => ({ ...h, node: node.name }));
      } catch {
        return [];
      }
    }));
    return all.flat();
  }
  async #run() {
    while (!this.#stopped) {
      const held = await this.#held();
      this.samples += 1;
      const by = new Map();
      for (const h of held) {
        const other = by.get(h.work);
        // Work may move between two looks: only the one whose token is older
        // must not say so any more.
        if (other) {
          const older = other.token < h.token ? other : h;
          const again = (await this.#held()).find(
            (x) => x.work === older.work && x.node === older.node
              && x.token === older.token);
          if (again)
            this.faults.push(`${h.work}: ${other.node} and ${h.node}`);
        }
        by.set(h.work, h);
        this.owners.set(h.work, h.node);
      }
      await pause(150);
    }
  }
  async stop() {
    this.#stopped = true;
    await this.done;
  }
}

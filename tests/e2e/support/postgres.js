// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL of our own: Debian's binaries, a fresh cluster in a temporary
// directory, reached by a Unix socket in it, so that no port can be taken by
// somebody else while the server is down on purpose.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until, within } from './wait.js';

function binaries() {
  if (process.env.EVENTWEFT_PG_BIN) return process.env.EVENTWEFT_PG_BIN;
  const versions = readdirSync('/usr/lib/postgresql').map(Number);
  return `/usr/lib/postgresql/${Math.max(...versions)}/bin`;
}

/** PostgreSQL refuses to run as root; Debian made it a user of its own. */
function owner() {
  if (process.getuid() !== 0) return {};
  const id = (flag) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

const started = new Set();
process.on('exit', () => {
  // An immediate shutdown: the postmaster takes its children along.
  for (const child of started) child.kill('SIGQUIT');
});

export async function startPostgres() {
  const bin = binaries();
  const user = owner();
  const home = mkdtempSync(join(tmpdir(), 'eventweft-pg-'));
  if (user.uid !== undefined) chownSync(home, user.uid, user.gid);
  chmodSync(home, 0o755);
  const data = join(home, 'data');
  const options = { ...user, cwd: home, stdio: ['ignore', 'ignore', 'pipe'] };
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'eventweft', '-A', 'trust', '-E', 'UTF8',
      '--locale=C.UTF-8', '--no-sync'],
    options,
  );
  const run = (tool, ...args) =>
    execFileSync(join(bin, tool), [...args, '-h', home, '-U', 'eventweft'],
      { ...options, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  let child;
  let exited;
  let log = '';
  async function start() {
    // After a crash the old backends may hold the shared memory for a moment.
    await until('PostgreSQL to start', async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) {
        child = spawn(
          join(bin, 'postgres'),
          ['-D', data, '-k', home, '-c', 'listen_addresses=',
            '-c', 'max_connections=50', '-c', 'shared_buffers=64MB'],
          options,
        );
        const mine = child;
        started.add(mine);
        mine.stderr.setEncoding('utf8').on('data', (text) => (log += text));
        exited = new Promise((resolve) => {
          mine.once('close', () => {
            started.delete(mine);
            resolve();
          });
        });
      }
      run('pg_isready', '-q', '-t', '1', '-d', 'postgres');
      return true;
    }).catch((error) => {
      throw new Error(`PostgreSQL does not start:\n${log}`, { cause: error });
    });
  }
  await start();

  let databases = 0;
  return {
    /** A database nobody has used yet. */
    freshDatabase() {
      const name = `hub_${++databases}`;
      run('createdb', name);
      return `postgresql:///${name}?host=${encodeURIComponent(home)}&user=eventweft`;
    },
    start,
    /** Without a checkpoint, as if the power had failed. */
    async crash(signal = 'SIGQUIT') {
      child.kill(signal);
      await within('PostgreSQL to be gone', exited);
    },
    async stop() {
      child.kill('SIGINT');
      await within('PostgreSQL to end', exited);
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

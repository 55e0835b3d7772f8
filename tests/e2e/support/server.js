// SPDX-License-Identifier: Apache-2.0
// Starts the real binary, knows when it is ready, and ends it by its own pid.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patience, until, within } from './wait.js';

export const secret = "It's a Secret to Everybody";

/**
 * For suites that count what they sent: without threads the log has nothing
 * else (`correlation:merged`).
 */
export const withoutThreads = ['--set', 'event.enable_correlation=false'];

const binary = process.env.EVENTWEFT_BIN;
if (!binary) throw new Error('EVENTWEFT_BIN must name the eventweft binary');

const started = new Set();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** A directory that is removed when the test `t` (or its suite) is over. */
export function temporaryDirectory(t) {
  const path = mkdtempSync(join(tmpdir(), 'eventweft-e2e-'));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Any subcommand, its output collected. Killed at the end of this process. */
export function run(args, { cwd, env = {} } = {}) {
  const child = spawn(binary, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => child.kill(signal),
    running: () => child.exitCode === null && child.signalCode === null,
  };
}

/**
 * `eventweft serve` over `store` in the directory `cwd`, ready to take events.
 * `port` is only given to come back where an earlier one was.
 */
export async function startServer({ store, cwd, port = 0, env = {}, args = [] }) {
  const process_ = run(
    ['serve', '--listen', `127.0.0.1:${port}`, '--store', store, ...args],
    { cwd, env: { GITHUB_WEBHOOK_SECRET: secret, ...env } },
  );
  const said = () => process_.stdout() + process_.stderr();
  const address = await until('the server to listen', () => {
    if (!process_.running())
      throw new Error(`the server ended early:\n${said()}`);
    return /listening on http:\/\/([^\s:]+):(\d+)/.exec(said());
  }).catch((error) => {
    process_.kill('SIGKILL');
    throw new Error(`no server; it said:\n${said()}`, { cause: error });
  });
  const url = `http://${address[1]}:${address[2]}`;
  const server = {
    ...process_,
    url,
    ws: url.replace('http', 'ws'),
    port: Number(address[2]),
    said,
    /** Ends it the hard way and waits until it is gone. */
    async crash() {
      process_.kill('SIGKILL');
      return within('the killed server to be gone', process_.exited);
    },
    /** Ends it the polite way. */
    async stop() {
      if (process_.running()) process_.kill('SIGTERM');
      return within('the server to end', process_.exited);
    },
    async json(path) {
      const answer = await fetch(url + path, {
        signal: AbortSignal.timeout(patience),
      });
      if (!answer.ok)
        throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
  };
  await until('readiness', async () => {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    return answer.ok;
  });
  return server;
}

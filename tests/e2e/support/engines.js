// SPDX-License-Identifier: Apache-2.0
// The stores that the suites run on. Each gives URLs nobody has used yet.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from './postgres.js';

const known = {
  async sqlite() {
    const home = mkdtempSync(join(tmpdir(), 'eventweft-sqlite-'));
    let files = 0;
    return {
      freshUrl: () => `sqlite:${join(home, `hub-${++files}.db`)}`,
      close: async () => rmSync(home, { recursive: true, force: true }),
    };
  },
  async postgres() {
    const server = await startPostgres();
    return {
      server,
      freshUrl: () => server.freshDatabase(),
      close: () => server.stop(),
    };
  },
};

/** The names of those to run on: `EVENTWEFT_E2E_ENGINES`, or all. */
export const engines = (
  process.env.EVENTWEFT_E2E_ENGINES ?? Object.keys(known).join(',')
).split(',');

export const openEngine = (name) => known[name]();

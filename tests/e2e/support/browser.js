// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium, driven by playwright-core: nothing is downloaded.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { patience } from './wait.js';

const candidates = [
  process.env.EVENTWEFT_E2E_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
];

/** A browser of its own, with a fresh profile that goes with it. */
export async function openBrowser() {
  const executablePath = candidates.find((path) => path && existsSync(path));
  if (!executablePath)
    throw new Error('no Chromium; ./dev setup installs Debian\'s');
  return chromium.launch({
    executablePath,
    headless: true,
    timeout: patience,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

// SPDX-License-Identifier: Apache-2.0
// Waiting on conditions, never on luck.

/** How long anything in these tests may take before it counts as broken. */
export const patience = Number(process.env.EVENTWEFT_E2E_PATIENCE ?? 30_000);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls `probe` until it returns something true and gives that back. Throws
 * after `limit` ms, saying what was waited for and the last error.
 */
export async function until(what, probe, limit = patience) {
  const end = Date.now() + limit;
  let last;
  for (;;) {
    try {
      const result = await probe();
      if (result) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`waited ${limit} ms for ${what}`, { cause: last });
    await pause(10);
  }
}

/** The promise's value, or an error that says what never came. */
export function within(what, promise, limit = patience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${limit} ms for ${what}`)),
      limit,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

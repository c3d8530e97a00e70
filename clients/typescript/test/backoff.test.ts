import assert from "node:assert/strict";
import { test } from "node:test";

// Not for users of the package, and so by its path.
const { delayMs, FIRST_DELAY_MS, LONGEST_DELAY_MS, restartDelayMs } = await import(
  new URL("../dist/backoff.js", import.meta.url).href
);

test("waits double, from half a second to half a minute", () => {
  const waits = [...Array(9).keys(), 5_000].map((attempt) => delayMs(attempt, () => 0));

  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test("chance takes away up to half of a wait, and never more", () => {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    const waits = [...Array(200)].map(() => delayMs(attempt));

    assert.ok(waits.every((wait) => wait >= full / 2 && wait <= full));
    assert.ok(new Set(waits).size > 50);
  }
});

test("after a restart a room full of clients returns within two seconds, at any moment of them", () => {
  const waits = [...Array(500)].map(() => restartDelayMs(0));

  assert.ok(waits.every((wait) => wait >= 0 && wait <= 2000));
  for (const quarter of [0, 500, 1000, 1500]) {
    assert.ok(waits.filter((wait) => wait >= quarter && wait < quarter + 500).length > 50);
  }
  assert.deepEqual(
    [1, 2, 9].map((attempt) => restartDelayMs(attempt, () => 0)),
    [2000, 4000, 30_000],
  );
});

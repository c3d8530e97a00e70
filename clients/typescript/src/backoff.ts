/** How long to wait before the next try. */

export const FIRST_DELAY_MS = 500;
export const LONGEST_DELAY_MS = 30_000;
export const RESTART_MS = 2_000;

/**
 * Return the milliseconds before a try: doubled each time from half a second to half a minute, less up to half of it
 * by chance, so that a room full of clients does not come back in one moment. `attempt` counts from 0.
 */
export function delayMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - random() / 2));
}

/**
 * Return the milliseconds before a return to a server that restarts, which sends everybody away at once: at first any
 * moment of two seconds, so that not all come in one, and from then on twice what `delayMs` says.
 */
export function restartDelayMs(attempt: number, random: () => number = Math.random): number {
  return attempt === 0 ? Math.round(random() * RESTART_MS) : delayMs(attempt + 1, random);
}

/** A wait that can be cut short. */
export class Pause {
  private end: (() => void) | null = null;

  /** Wait so many milliseconds, or until `wake`. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), milliseconds);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.end?.();
    this.end = null;
  }
}

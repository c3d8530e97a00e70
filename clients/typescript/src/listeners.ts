/** Telling those who listen. */

/** Call a listener. What it throws is its own: the process hears of it, and nothing stops here. */
export function tell<T extends unknown[]>(listener: ((...told: T) => void) | undefined, ...told: T): void {
  try {
    listener?.(...told);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

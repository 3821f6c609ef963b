export interface RefreshingCache<T> {
  /**
   * Returns the value, and reads it again if the last try is `maxAgeMs` old or older. If that read fails, returns the
   * stored value; rejects if no value is stored.
   */
  get(maxAgeMs: number): Promise<T>;
  /** Returns the value that was read less than `maxAgeMs` ago. Rejects if a new read is necessary and fails. */
  getFresh(maxAgeMs: number): Promise<T>;
}

/** Caches a value in memory. Only one read runs at a time. */
export const createRefreshingCache = <T>(
  read: () => Promise<T>,
  clock: () => number,
  /** Called for each failed read, even if a stored value is returned, because a new environment has no stored value. */
  onFailure: (error: unknown) => void = () => undefined,
): RefreshingCache<T> => {
  let stored: { readonly value: T; readonly readAtMs: number } | null = null;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let running: Promise<T> | null = null;

  const readAndStore = async (): Promise<T> => {
    const readAtMs = clock();
    triedAtMs = readAtMs;
    const value = await read();
    stored = { value, readAtMs };
    return value;
  };

  /** Starts a read, or joins the running one. */
  const refresh = (): Promise<T> => {
    running ??= readAndStore()
      .catch((error: unknown) => {
        onFailure(error);
        throw error;
      })
      .finally(() => {
        running = null;
      });
    return running;
  };

  return {
    async get(maxAgeMs) {
      if (stored === null) return refresh();
      const { value } = stored;
      return clock() - triedAtMs < maxAgeMs ? value : refresh().catch(() => value);
    },

    async getFresh(maxAgeMs) {
      return stored !== null && clock() - stored.readAtMs < maxAgeMs ? stored.value : refresh();
    },
  };
};

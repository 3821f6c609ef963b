export interface RefreshingCache<T> {
  /**
   * Returns the cached value if the last read, successful or not, began less than `maxAgeMs` ago. Otherwise reads the
   * value again; if this read fails, returns the cached value, or rejects if no value is cached.
   */
  get(maxAgeMs: number): Promise<T>;
  /** Returns the value that was read less than `maxAgeMs` ago. Rejects if a new read is necessary and fails. */
  getFresh(maxAgeMs: number): Promise<T>;
}

/** Caches a value in memory. Only one read runs at a time. */
export const createRefreshingCache = <T>(
  read: () => Promise<T>,
  clock: () => number,
  /**
   * The function that is called with the error of each failed read, even if the caller gets a cached value instead: a
   * new function instance has no cached value, so its read would reject.
   */
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

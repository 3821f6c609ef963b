/**
 * A value that is asked for when it is older than a caller can take, by one question at a time. While a newer one cannot
 * be had the last one serves; without any the failure is the caller's.
 */
export const createRefreshingCache = <T>(
  ask: () => Promise<T>,
  clock: () => number,
  /** Told even while the last one serves: a new environment has none. */
  onFailure: (error: unknown) => void = () => undefined,
): ((maxAgeMs: number) => Promise<T>) => {
  let kept: { readonly value: T } | null = null;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<T> | null = null;

  const askAndKeep = async (): Promise<T> => {
    askedAtMs = clock();
    const value = await ask();
    kept = { value };
    return value;
  };
  const submitOnce = (): Promise<T> => {
    asking ??= askAndKeep()
      .catch((error: unknown) => {
        onFailure(error);
        throw error;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  };

  return async (maxAgeMs) => {
    if (kept === null) return submitOnce();
    if (clock() - askedAtMs < maxAgeMs) return kept.value;
    const last = kept.value;
    return submitOnce().catch(() => last);
  };
};

/** Values that one instance of a function remembers by a key, each until its own time. */
export interface ShortMemory<Value> {
  /** Returns the value, or undefined if no value is remembered at this time. */
  find(key: string, nowMs: number): Value | undefined;
  remember(key: string, value: Value, untilMs: number): void;
  forget(key: string): void;
}

/** Creates a memory of at most `maxEntries` values. A full memory forgets the value that it has had for longest. */
export const createShortMemory = <Value>(maxEntries: number): ShortMemory<Value> => {
  const entries = new Map<string, { readonly value: Value; readonly untilMs: number }>();
  return {
    find(key, nowMs) {
      const entry = entries.get(key);
      if (entry && nowMs < entry.untilMs) return entry.value;
      entries.delete(key);
      return undefined;
    },

    remember(key, value, untilMs) {
      entries.delete(key);
      for (const oldest of entries.keys()) {
        if (entries.size < maxEntries) break;
        entries.delete(oldest);
      }
      entries.set(key, { value, untilMs });
    },

    forget(key) {
      entries.delete(key);
    },
  };
};

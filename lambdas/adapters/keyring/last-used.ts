export interface LastUsed<Value> {
  /** Returns the value under a name. Creates the value if there is none. */
  get(name: string, create: () => Value): Value;
  forget(name: string): void;
}

/** Creates a memory of at most `max` values, which drops the value that was used least recently. */
export const createLastUsed = <Value>(max: number): LastUsed<Value> => {
  const values = new Map<string, { readonly value: Value }>();
  return {
    get(name, create) {
      const entry = values.get(name) ?? { value: create() };
      // Moves the entry to the end of the map, so that the first entry is the least recently used one.
      values.delete(name);
      values.set(name, entry);
      if (values.size > max) values.delete(values.keys().next().value ?? name);
      return entry.value;
    },
    forget: (name) => void values.delete(name),
  };
};

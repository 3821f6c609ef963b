/** Returns the number of letters to insert, delete, replace or swap that turn one word into the other. */
const distance = (a: string, b: string): number => {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isEqual = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const steps = [(row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, (previous[j - 1] ?? 0) + (isEqual ? 0 : 1)];
      if (isSwapped) steps.push((beforePrevious[j - 2] ?? 0) + 1);
      row.push(Math.min(...steps));
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
};

/** The longest name that is compared. Names of fields and types are shorter. */
const LONGEST = 64;

/** Returns a name without case and separators: `eventType` and `event-type` are both `eventtype`. */
const bare = (name: string): string => name.toLowerCase().replace(/[-_. ]/g, '');

/**
 * Returns the known name that the sender of an unknown name most likely meant, or `null` if no name is near: at most one
 * wrong letter for each three letters, and at most three.
 */
export const nearName = (name: string, known: readonly string[]): string | null => {
  if (name.length > LONGEST) return null;
  const written = bare(name);
  const most = Math.min(3, Math.floor(Math.max(written.length, 1) / 3));
  const near = known
    .map((candidate) => ({ candidate, wrong: distance(written, bare(candidate)) }))
    .filter(({ wrong }) => wrong <= most)
    .toSorted((a, b) => a.wrong - b.wrong)[0];
  return near && near.candidate !== name ? near.candidate : null;
};

/** Returns a message and, if a known name is near, the question whether the sender meant that name. */
export const withNearName = (message: string, name: string, known: readonly string[]): string => {
  const near = nearName(name, known);
  return near === null ? message : `${message.replace(/\.$/, '')}. Did you mean \`${near}\`?`;
};

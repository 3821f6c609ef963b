/**
 * Results of a benchmark scenario by name: numbers, or groups of numbers up to two levels deep. The unit is in the name
 * of the number or of its group.
 */
export type Figures = Record<string, number | Record<string, number> | Record<string, Record<string, number>>>;

/** Rounds to four significant digits, because the fifth is noise. */
export const round = (value: number): number => Number(value.toPrecision(4));

/** Returns the value below which this share of the values lies; `share` is from 0 to 1. NaN if there are no values. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** Results of a benchmark scenario: numbers, each under a name that contains the unit. */
export type Figures = Record<string, number | Record<string, number> | Record<string, Record<string, number>>>;

/** Rounds to four significant digits, because the fifth is noise. */
export const round = (value: number): number => Number(value.toPrecision(4));

/** Returns the value below which this share of the values lies; `share` is from 0 to 1. NaN if there are no values. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

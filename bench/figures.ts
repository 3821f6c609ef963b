/** What a scenario measured: plain numbers under names with units. */
export type Figures = Record<string, number | Record<string, number> | Record<string, Record<string, number>>>;

/** To four digits: the fifth is noise. */
export const round = (value: number): number => Number(value.toPrecision(4));

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** 1 m, 5 m, 15 m, 1 h and 6 h: five retries over 7 h 21 m. */
export const sevenHours: readonly number[] = [60, 300, 900, 3_600, 21_600];

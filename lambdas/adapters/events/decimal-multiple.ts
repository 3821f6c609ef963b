interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Returns a number as its shortest decimal text has it: `digits` × 10^`exponent`. */
const numberToDecimal = (value: number): Decimal => {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
};

/**
 * Returns whether a number is a multiple of another as decimal numbers: 19.99 is a multiple of 0.01, although the
 * division of the floating-point numbers leaves a remainder.
 */
export const isDecimalMultiple = (value: number, divisor: number): boolean => {
  if (!Number.isFinite(value) || !Number.isFinite(divisor) || divisor === 0) return false;
  if (Number.isInteger(value) && Number.isInteger(divisor)) return value % divisor === 0;
  const [dividend, unit] = [numberToDecimal(value), numberToDecimal(divisor)];
  const shift = dividend.exponent - unit.exponent;
  const scale = 10n ** BigInt(Math.abs(shift));
  return shift >= 0 ? (dividend.digits * scale) % unit.digits === 0n : dividend.digits % (unit.digits * scale) === 0n;
};

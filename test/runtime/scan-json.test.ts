import { describe, expect, test } from 'vitest';
import { scanJson } from '../../lambdas/runtime/scan-json.ts';

/** Returns a random whole number below the bound, from a generator with a fixed seed. */
const seeded = (seed: number) => {
  let state = seed;
  return (bound: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * bound);
  };
};

/** The exact value of a JSON number, as a whole number times 10^-400. */
const exact = (written: string): bigint => {
  const [mantissa = '', exponent = '0'] = written.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole.replace('+', '') + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
};

const digits = (random: (bound: number) => number, most: number): string =>
  Array.from({ length: 1 + random(most) }, () => random(10)).join('');

describe('scanJson', () => {
  test('accepts exactly the numbers that JSON.stringify writes with the same value: 5,000 random numbers', () => {
    const random = seeded(7);
    let refused = 0;

    for (let count = 0; count < 5000; count++) {
      const whole = random(4) === 0 ? '0' : digits(random, 20).replace(/^0+(?=\d)/, '');
      const fraction = random(2) === 0 ? '' : `.${digits(random, 19)}`;
      const exponent = random(2) === 0 ? '' : `${'eE'[random(2)]}${['', '+', '-'][random(3)]}${random(300)}`;
      const written = `${random(2) === 0 ? '' : '-'}${whole}${fraction}${exponent}`;

      const value = Number(written);
      const isSame = Number.isFinite(value) && exact(String(value)) === exact(written);
      const { unfaithful } = scanJson(`{"n":${written}}`);

      expect([written, unfaithful.length === 0]).toEqual([written, isSame]);
      if (!isSame) refused++;
    }
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(4500);
  });

  test('finds each repeated name of 500 random objects, and no other', () => {
    const random = seeded(11);
    const names = ['a', 'b', 'c"', 'd\\', '', '__proto__', '{', ',', ':'];
    const written = (depth: number, path: string, repeated: string[]): string => {
      if (depth === 0 || random(4) === 0)
        return ['1', '"a\\"b"', '"\\\\"', 'true', 'null', '{}', '[]'][random(7)] ?? '';
      const members = Array.from({ length: random(4) }, (_, index) => {
        const name = names[random(names.length)] ?? '';
        return { name, index };
      });
      if (random(2) === 0) {
        return `[ ${members.map(({ index }) => written(depth - 1, `${path}${index}.`, repeated)).join(' , ')}]`;
      }
      const seen = new Set<string>();
      const texts = members.map(({ name }) => {
        if (seen.has(name)) repeated.push(`${path}${name}`);
        seen.add(name);
        return `${JSON.stringify(name)} :\n${written(depth - 1, `${path}${name}.`, repeated)}`;
      });
      return `{${texts.join(',\t')} }`;
    };

    for (let count = 0; count < 500; count++) {
      const repeated: string[] = [];
      const text = written(5, '', repeated);

      JSON.parse(text);
      expect(scanJson(text).repeated.map(({ path }) => path)).toEqual(repeated);
    }
  });

  test('scans 256 KiB of zeros, quotes, backslashes or nested names within a second each', () => {
    const size = 256 * 1024;
    const texts = [
      `1${'0'.repeat(size)}`,
      `0.${'0'.repeat(size)}1`,
      `1${'0'.repeat(size / 2)}1${'0'.repeat(size / 2)}1`,
      JSON.stringify('"'.repeat(size / 2)),
      JSON.stringify('\\'.repeat(size / 2)),
      `[${'{},'.repeat(size / 3)}{}]`,
      JSON.stringify(Object.fromEntries(Array.from({ length: size / 8 }, (_, index) => [index, 1]))),
    ];

    for (const text of texts) {
      const startedAtMs = performance.now();
      scanJson(text);
      expect(performance.now() - startedAtMs).toBeLessThan(1000);
    }
  });
});

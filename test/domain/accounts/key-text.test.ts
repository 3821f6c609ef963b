import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { drawApiKey } from '../../../lambdas/domain/accounts/api-key.ts';
import { isPossibleKey, withChecksum } from '../../../lambdas/domain/accounts/key-text.ts';

describe('the checksum of an API key', () => {
  it('is the CRC-32 of the key before it, as six digits of base 62, for 1,000 drawn keys', () => {
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

    for (let i = 0; i < 1000; i++) {
      const { key } = drawApiKey(i % 2 === 0 ? 'live' : 'test');
      const number = [...key.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);

      expect(number).toBe(crc32(key.slice(0, -6)));
      expect(isPossibleKey(key)).toBe(true);
    }
  });

  it('begins with zeros where the CRC-32 has fewer than six digits', () => {
    // The CRC-32 of this text, 2,991,578, is below 62 ** 4. The text was found by a search.
    const text = 'pp_live_00000000000000000000000000000035';

    expect(withChecksum(text)).toMatch(/35(00)[0-9A-Za-z]{4}$/);
    expect(isPossibleKey(withChecksum(text))).toBe(true);
  });
});

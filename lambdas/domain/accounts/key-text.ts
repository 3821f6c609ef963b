/** The characters of API keys, in the order of the digits of base 62. */
export const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_CHARACTERS = 6;

/** The number of random characters of an API key. */
export const DRAWN_CHARACTERS = 32;

/** The text of an API key: its mode, its random characters, and its checksum, which the oldest keys do not have. */
const KEY_TEXT = /^(pp_(?:live|test)_[0-9A-Za-z]{32})([0-9A-Za-z]{6})?$/;

/** Returns the CRC-32 of an ASCII text, as in gzip: https://www.rfc-editor.org/rfc/rfc1952#section-8 */
const crc32 = (text: string): number => {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text, 'latin1')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};

/**
 * Returns the checksum of a key's text: the CRC-32 in base 62, six characters, as at the end of GitHub's tokens:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
const checksumOf = (text: string): string => {
  let checksum = '';
  for (let rest = crc32(text); rest > 0; rest = Math.floor(rest / 62)) checksum = `${ALPHABET[rest % 62]}${checksum}`;
  return checksum.padStart(CHECKSUM_CHARACTERS, '0');
};

/** Returns the text of an API key with its checksum. `text` is the key without the checksum. */
export const withChecksum = (text: string): string => `${text}${checksumOf(text)}`;

/**
 * Returns whether a text can be an API key: its last six characters must be the checksum of the others. The text of a key
 * that was drawn before keys had checksums is six characters shorter, and only its form is checked.
 */
export const isPossibleKey = (text: string): boolean => {
  const [, checked, checksum] = KEY_TEXT.exec(text) ?? [];
  return checked !== undefined && (checksum === undefined || checksum === checksumOf(checked));
};

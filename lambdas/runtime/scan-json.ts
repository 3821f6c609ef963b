import { type FieldError, invalid } from '../domain/foundation/errors.ts';

const MAX_DEPTH = 64;
/** The scan stops at this number of faults, because an error response shows no more. */
const MOST_FAULTS = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** A list or an object that the scan is inside of. */
interface Level {
  readonly isList: boolean;
  /** The names of the object's members so far; `null` before the first member. */
  names: Set<string> | null;
  /** The name of the current member, or the index of the current entry. */
  position: string | number;
  expectsName: boolean;
}

/** Faults of a JSON text that are no longer visible in the value that JSON.parse returns. */
export interface JsonFaults {
  /** Members whose name an earlier member of the same object has. */
  readonly repeated: readonly FieldError[];
  /** Numbers and texts that cannot be stored and sent as they were written. */
  readonly unfaithful: readonly FieldError[];
}

/** Returns the index of the quote that ends the string that begins at `start`. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
};

/** Returns a number in a form that is equal for equal values: its significant digits and its power of ten. */
const decimalOf = (written: string): string => {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  if (end === 0) return '0';
  return `${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
};

/** Returns the fault of a number that would arrive with other digits, or `null`. */
const faultOfNumber = (written: string): { code: string; message: string } | null => {
  // A double holds every decimal number of at most 15 digits.
  if (written.length <= 15 && !/[eE]/.test(written)) return null;
  const value = Number(written);
  const sent = Number.isFinite(value) ? String(value) : '';
  if (sent !== '' && decimalOf(sent) === decimalOf(written)) return null;
  if (sent === '' || /^-?\d+$/.test(written)) {
    return { code: 'too_big', message: 'This number is out of range and would lose digits. Send it as a text.' };
  }
  return { code: 'too_precise', message: 'This number has too many digits and would lose some. Send it as a text.' };
};

/** Returns whether storage or signing would change the text: it holds NUL or half a surrogate pair. */
const isUnfaithful = (text: string): boolean => !text.isWellFormed() || text.includes('\0');

const NUMBER = /-?\d[\d.eE+-]*/y;

/** Scans one text. The members are the steps of the scan; `at` is the index of the current character. */
class Scan {
  readonly repeated: FieldError[] = [];
  readonly unfaithful: FieldError[] = [];
  private readonly levels: Level[] = [];

  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Scans the whole text. */
  run(): JsonFaults {
    for (let at = 0; at < this.text.length && this.repeated.length + this.unfaithful.length < MOST_FAULTS; at++) {
      at = this.step(at);
    }
    return this;
  }

  private path(): string {
    return this.levels
      .map(({ position }) => position)
      .join('.')
      .toWellFormed();
  }

  /** Scans the token at an index and returns the index of the token's last character. */
  private step(at: number): number {
    const character = this.text.charCodeAt(at);
    if (character === QUOTE) return this.string(at);
    if (character === 0x2d || (character >= 0x30 && character <= 0x39)) return this.number(at);
    const level = this.levels.at(-1);
    if (character === COMMA && level) {
      if (level.isList) level.position = Number(level.position) + 1;
      else level.expectsName = true;
    } else if (character === OPEN_LIST || character === OPEN_OBJECT) {
      this.open(character === OPEN_LIST);
    } else if (character === CLOSE_LIST || character === CLOSE_OBJECT) {
      this.levels.pop();
    }
    return at;
  }

  private open(isList: boolean): void {
    if (this.levels.length === MAX_DEPTH) {
      throw invalid(this.path().slice(0, 200), 'too_deep', `Nested deeper than ${MAX_DEPTH}.`);
    }
    this.levels.push({ isList, names: null, position: isList ? 0 : '', expectsName: !isList });
  }

  private string(start: number): number {
    const end = endOfString(this.text, start);
    const level = this.levels.at(-1);
    const raw = this.text.slice(start + 1, end);
    const isName = level?.expectsName === true;
    const hasEscape = raw.includes(isName ? '\\' : '\\u');
    const value = hasEscape ? (JSON.parse(`"${raw}"`) as string) : raw;
    if (level && isName) this.name(level, value);
    if (hasEscape && isUnfaithful(value)) {
      const message = 'Holds a NUL character or half a surrogate pair.';
      this.unfaithful.push({ path: this.path(), code: 'invalid_text', message });
    }
    return end;
  }

  private name(level: Level, name: string): void {
    level.position = name;
    level.expectsName = false;
    level.names ??= new Set();
    if (level.names.has(name)) {
      this.repeated.push({ path: this.path(), code: 'repeated', message: 'Given more than once.' });
    }
    level.names.add(name);
  }

  private number(at: number): number {
    NUMBER.lastIndex = at;
    const [written = ''] = NUMBER.exec(this.text) ?? [];
    const fault = faultOfNumber(written);
    if (fault) this.unfaithful.push({ path: this.path(), ...fault });
    return at + written.length - 1;
  }
}

/**
 * Scans the text of a valid JSON value once, and returns the faults that `JSON.parse` hides: repeated members, and
 * numbers and texts that would not arrive as they were written. Throws `invalid` for a value that is nested too deep.
 */
export const scanJson = (text: string): JsonFaults => new Scan(text).run();

import { hash, randomBytes } from 'node:crypto';
import type { ResourceIdPrefix } from './resources.ts';

/** `req`: a request, in logs and headers. */
export type IdPrefix = ResourceIdPrefix | 'req';

/** Crockford's base32: sorts like the bytes it stands for. https://www.crockford.com/base32.html */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const base32 = (value: bigint, characters: number): string => {
  let text = '';
  for (let rest = value, i = 0; i < characters; i++, rest >>= 5n) text = ALPHABET[Number(rest & 31n)] + text;
  return text;
};

const hashOf = (parts: readonly string[]): string => hash('sha256', JSON.stringify(parts), 'hex');

const hashBits = (parts: readonly string[], bits: number): bigint => BigInt(`0x${hashOf(parts)}`) >> BigInt(256 - bits);

const timePart = (timeMs: number): string => base32(BigInt(timeMs), 10);

/** A drawn id: a ULID behind its prefix, so that ids sort by the time they were drawn. */
export const drawId = (prefix: IdPrefix, nowMs: number): string =>
  `${prefix}_${timePart(nowMs)}${base32(BigInt(`0x${randomBytes(10).toString('hex')}`), 16)}`;

/** An id that the same parts always give, and that sorts by the given time. */
export const deriveTimedId = (prefix: IdPrefix, timeMs: number, ...parts: string[]): string =>
  `${prefix}_${timePart(timeMs)}${base32(hashBits(parts, 80), 16)}`;

/** An id that the same parts always give, wherever and whenever. It starts with Z, which no timed id does, and does not sort by time. */
export const deriveId = (prefix: IdPrefix, ...parts: string[]): string =>
  `${prefix}_Z${base32(hashBits(parts, 125), 25)}`;

/** Whether an id was derived without a time, so that its place in a list is kept elsewhere. */
export const isTimeless = (id: string): boolean => id[4] === 'Z';

const FORM = new RegExp(`^([a-z]{3})_[${ALPHABET}]{26}(?:[${ALPHABET}]{26})?$`);

/** Whether the text has the form of an id of this kind; one that has not cannot exist. */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  FORM.exec(text)?.[1] === prefix && text.length === (prefix === 'dlv' ? 56 : 30);

/** A delivery's id carries its event's time, a hash of event and webhook, and its webhook: one read finds its row. */
export const deliveryId = (eventTimeMs: number, eventId: string, webhookId: string): string =>
  `${deriveTimedId('dlv', eventTimeMs, eventId, webhookId)}${webhookId.slice(4)}`;

export const webhookOfDelivery = (id: string): string => `whk_${id.slice(30)}`;

/** The time, in milliseconds, that a drawn or timed id (a delivery's, too) begins with. */
export const timeOfId = (id: string): number => {
  let value = 0;
  for (const character of id.slice(4, 14)) value = value * 32 + ALPHABET.indexOf(character);
  return value;
};

/** Spreads ids over `shards` partitions, the same id always to the same one. */
export const shardOf = (id: string, shards: number): number => Number.parseInt(hashOf([id]).slice(0, 8), 16) % shards;

/** The smallest text any id of this kind and time can begin with: a bound for range reads. */
export const idBound = (prefix: IdPrefix, timeMs: number): string => `${prefix}_${timePart(timeMs)}`;

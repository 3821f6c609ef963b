import { hash, randomBytes } from 'node:crypto';
import type { ResourceIdPrefix } from './resources.ts';

/** The prefix of an id, which names the kind of thing. `req` is a request, in logs and headers. */
export type IdPrefix = ResourceIdPrefix | 'req';

/**
 * The digits of Crockford's base32: the text sorts like the bytes that it encodes.
 * https://www.crockford.com/base32.html
 */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const base32 = (value: bigint, characters: number): string => {
  let text = '';
  for (let rest = value, i = 0; i < characters; i++, rest >>= 5n) text = ALPHABET[Number(rest & 31n)] + text;
  return text;
};

const hashOf = (parts: readonly string[]): string => hash('sha256', JSON.stringify(parts), 'hex');

const hashBits = (parts: readonly string[], bits: number): bigint => BigInt(`0x${hashOf(parts)}`) >> BigInt(256 - bits);

const timePart = (timeMs: number): string => base32(BigInt(timeMs), 10);

/** Draws a random id: prefix and ULID. Ids sort by the time (milliseconds) at which they were drawn. */
export const drawId = (prefix: IdPrefix, nowMs: number): string =>
  `${prefix}_${timePart(nowMs)}${base32(BigInt(`0x${randomBytes(10).toString('hex')}`), 16)}`;

/**
 * Derives an id that holds a time: the same time and parts always give the same id. Ids sort by the time
 * (milliseconds).
 */
export const deriveTimedId = (prefix: IdPrefix, timeMs: number, ...parts: string[]): string =>
  `${prefix}_${timePart(timeMs)}${base32(hashBits(parts, 80), 16)}`;

/**
 * Derives an id without a time: the same parts always give the same id. It starts with Z, unlike every id with a time.
 */
export const deriveId = (prefix: IdPrefix, ...parts: string[]): string =>
  `${prefix}_Z${base32(hashBits(parts, 125), 25)}`;

/** Returns whether an id was derived without a time. Lists must then get the item's time from elsewhere. */
export const isTimeless = (id: string): boolean => id[4] === 'Z';

const FORM = new RegExp(`^([a-z]{3})_[${ALPHABET}]{26}(?:[${ALPHABET}]{26})?$`);

/** Returns whether the text has the form of an id with this prefix. An id of any other form cannot exist. */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  FORM.exec(text)?.[1] === prefix && text.length === (prefix === 'dlv' ? 56 : 30);

/**
 * Returns the id of an event's delivery to a webhook. It holds the event's time, a hash of event and webhook, and the
 * webhook's id: one read finds the delivery's row.
 */
export const deliveryId = (eventTimeMs: number, eventId: string, webhookId: string): string =>
  `${deriveTimedId('dlv', eventTimeMs, eventId, webhookId)}${webhookId.slice(4)}`;

/** Returns the id of the webhook that a delivery's id holds. */
export const webhookOfDelivery = (id: string): string => `whk_${id.slice(30)}`;

/** Returns the time in milliseconds at the start of a drawn or timed id, also of a delivery's id. */
export const timeOfId = (id: string): number => {
  let value = 0;
  for (const character of id.slice(4, 14)) value = value * 32 + ALPHABET.indexOf(character);
  return value;
};

/** Returns the shard (0 to `shards` - 1) of an id. The same id always gives the same shard. */
export const shardOf = (id: string, shards: number): number => Number.parseInt(hashOf([id]).slice(0, 8), 16) % shards;

/** The latest time that an id can hold, in milliseconds. */
const MAX_TIME_MS = 2 ** 48;

/**
 * Returns the smallest text with which an id of this prefix and time can begin: the bound of a range read. A time
 * outside the range of ids gives the nearest bound.
 */
export const idBound = (prefix: IdPrefix, timeMs: number): string =>
  `${prefix}_${timePart(Math.min(Math.max(timeMs, 0), MAX_TIME_MS))}`;

import * as z from 'zod';
import type { ResponseClass } from '../../domain/deliveries/profile.ts';

// Values for profiles whose scheme does not require others.

/** Every 2xx status is a success. Every other status is a refusal, 410 too. */
export const any2xx = (status: number): ResponseClass => (status >= 200 && status <= 299 ? 'delivered' : 'refused');

/** The headers that say what a request is and who sent it. */
export const ownHeaders = { 'content-type': 'application/json', 'user-agent': 'passpost-webhooks/1.0' } as const;

/** A schedule in seconds: 1 m, 5 m, 15 m, 1 h and 6 h, that is five retries over 7 h 21 m. */
export const sevenHours: readonly number[] = [60, 300, 900, 3_600, 21_600];

/** The options of a profile that lets a webhook choose nothing. */
export const noOptions = z.strictObject({});
export type NoOptions = z.infer<typeof noOptions>;

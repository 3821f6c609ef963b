import * as z from 'zod';
import type { ResponseClass } from '../../domain/deliveries/profile.ts';

// Headers, status classes, a retry schedule and empty options for profiles whose receivers do not require their own.

/** Classifies an HTTP status: every 2xx status is a success, and every other status is a refusal, 410 too. */
export const any2xx = (status: number): ResponseClass => (status >= 200 && status <= 299 ? 'delivered' : 'refused');

/** The request headers that name the body's content type and PassPost as the sender. */
export const ownHeaders = { 'content-type': 'application/json', 'user-agent': 'passpost-webhooks/1.0' } as const;

/** A retry schedule in seconds: 1 m, 5 m, 15 m, 1 h and 6 h, that is five retries over 7 h 21 m. */
export const sevenHours: readonly number[] = [60, 300, 900, 3_600, 21_600];

/** The options schema of a profile that lets a webhook choose nothing. */
export const noOptions = z.strictObject({});
export type NoOptions = z.infer<typeof noOptions>;

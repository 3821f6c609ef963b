import Stripe from 'stripe';
import type { Verify } from '../profile-contract.ts';

const stripe = new Stripe('sk_test_of_nobody');

/** Stripe's own library, which implements the same scheme under another header name. It throws if it refuses the request. */
export const verifyWithStripe: Verify = ({ headers, body }, secret) => {
  stripe.webhooks.constructEvent(body, headers['passmint-signature'] ?? '', secret);
  return true;
};

/** Stripe's library with the given current time, for requests that were signed at another time. */
export const verifyWithStripeAt =
  (atMs: number): Verify =>
  ({ headers, body }, secret) => {
    const header = headers['passmint-signature'] ?? '';
    stripe.webhooks.constructEvent(body, header, secret, 300, undefined, atMs);
    return true;
  };

import Stripe from 'stripe';
import type { Verify } from '../profile-contract.ts';

const stripe = new Stripe('sk_test_of_nobody');

/** Stripe's own library, which knows the scheme; only the header has another name. It throws at what it refuses. */
export const verifyWithStripe: Verify = ({ headers, body }, secret) => {
  stripe.webhooks.constructEvent(body, headers['passmint-signature'] ?? '', secret);
  return true;
};

/** The same at another time, for requests and vectors that are not of now. */
export const verifyWithStripeAt =
  (atMs: number): Verify =>
  ({ headers, body }, secret) => {
    const header = headers['passmint-signature'] ?? '';
    stripe.webhooks.constructEvent(body, header, secret, 300, undefined, atMs);
    return true;
  };

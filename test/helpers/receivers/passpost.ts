import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Verify } from '../profile-contract.ts';

/** A receiver as the PassPost page tells Node.js users to write it. It throws when the lengths differ, as theirs does. */
export const verifyPasspost: Verify = ({ headers, body }, secret) => {
  const given = headers['x-passpost-signature'];
  if (!given) return false;
  const wanted = `sha256=${createHmac('sha256', secret).update(Buffer.from(body)).digest('hex')}`;
  return timingSafeEqual(Buffer.from(given), Buffer.from(wanted));
};

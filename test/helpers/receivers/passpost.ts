import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Verify } from '../profile-contract.ts';

/** The Node.js receiver of the PassPost page. Like the page's code, it throws if the lengths differ. */
export const verifyPasspost: Verify = ({ headers, body }, secret) => {
  const given = headers['x-passpost-signature'];
  if (!given) return false;
  const expected = `sha256=${createHmac('sha256', secret).update(Buffer.from(body)).digest('hex')}`;
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
};

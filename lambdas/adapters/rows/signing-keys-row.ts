import type { StoredSigningKeys } from '../../domain/keyring/signing-keys.ts';
import { rowOf } from './row.ts';
import { signingKeysKey } from './table-keys.ts';

/** Returns the row of an owner's signing keys of one algorithm. The row never expires. */
export const signingKeysToRow = (keys: StoredSigningKeys): Record<string, unknown> =>
  rowOf({ ...keys, ...signingKeysKey(keys.owner, keys.alg), kind: 'signing-keys' });

import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { createPublicKeys, putPublicKeys } from '../../../lambdas/adapters/keyring/public-keys.ts';
import { publicKeysKey } from '../../../lambdas/adapters/rows/table-keys.ts';
import { createKeyring, publicKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';
import { useTables } from '../../helpers/tables.ts';

const [first, second] = [publicKeysOf(createKeyring()), publicKeysOf(createKeyring())];

describe('the public keys of the deployment', () => {
  const tables = useTables();
  const put = (keys: typeof first) => putPublicKeys(tables.client, tables.credentialsTable, keys);

  beforeEach(async () => {
    const Key = marshall(publicKeysKey);
    await tables.client.send(new DeleteItemCommand({ TableName: tables.credentialsTable, Key }));
  });

  it('are served from the cache at 299.999 s and read again at 300 s', async () => {
    let nowMs = 0;
    const { read } = createPublicKeys(tables.client, tables.credentialsTable, () => nowMs);
    await put(first);
    await read();
    await put(second);

    nowMs = 299_999;
    const cached = await read();
    nowMs = 300_000;
    const fresh = await read();

    expect(cached).toEqual(first);
    expect(fresh).toEqual(second);
  });

  it('make `read` throw unavailable while their row does not exist; the next read after the row is written returns them', async () => {
    const { read } = createPublicKeys(tables.client, tables.credentialsTable, () => 0);

    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
    await put(first);

    expect(await read()).toEqual(first);
  });

  it('make `read` throw unavailable, and not return the cached keys, if their row is gone after five minutes', async () => {
    let nowMs = 0;
    const { read } = createPublicKeys(tables.client, tables.credentialsTable, () => nowMs);
    await put(first);
    await read();
    const Key = marshall(publicKeysKey);
    await tables.client.send(new DeleteItemCommand({ TableName: tables.credentialsTable, Key }));
    nowMs = 300_000;

    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
    await put(second);

    expect(await read()).toEqual(second);
  });

  it('of revision 2 are not replaced by keys of revision 1', async () => {
    await put({ ...second, revision: 2 });
    await put({ ...first, revision: 1 });

    expect((await createPublicKeys(tables.client, tables.credentialsTable, () => 0).read()).sealing).toEqual(
      second.sealing,
    );
  });

  it('of revision 1 replace stored keys without a revision, which the first release wrote', async () => {
    const { revision: _, ...old } = { ...publicKeysKey, ...first };
    await tables.client.send(new PutItemCommand({ TableName: tables.credentialsTable, Item: marshall(old) }));
    await put({ ...second, revision: 1 });

    expect((await createPublicKeys(tables.client, tables.credentialsTable, () => 0).read()).sealing).toEqual(
      second.sealing,
    );
  });
});

import { expect, test } from 'vitest';
import { deriveId, deriveTimedId, shardOf } from '../../../lambdas/domain/foundation/id.ts';

// Stored rows are found by these results: a changed result would make them unreachable.
test.each([
  ['evt_01M89Y4C4C7Q4ZMXHR8JCKPQAM', 3, 11],
  ['whk_01M89Y49ZK1TPN2M6709JPR97A', 3, 7],
  ['dlv_01M89Y4C4CXZB78EWYC1WNVN7C01M89Y49ZK1TPN2M6709JPR97A', 3, 7],
])('shardOf assigns %s to shard %i of 4 and shard %i of 16, as in every release', (id, ofFour, ofSixteen) => {
  expect([shardOf(id, 4), shardOf(id, 16)]).toEqual([ofFour, ofSixteen]);
});

test('deriveId and deriveTimedId derive the same ids from fixed inputs as in every release', () => {
  expect(deriveId('evt', 'acc_1#live', 'id', 'order-1')).toBe('evt_ZSY6RZ6P10ZFRGVS8MH13TGFYZ');
  expect(deriveTimedId('evt', 1_785_000_000_000, 'a', 'b')).toBe('evt_01KYD4MYG00HSYYBE0TCJAPSCX');
});

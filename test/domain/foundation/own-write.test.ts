import { expect, test } from 'vitest';
import { isOwnWrite } from '../../../lambdas/domain/foundation/own-write.ts';

test.each([
  ['true for the id of the request that wrote the row', 'req_1', true],
  ['false for the id of another request', 'req_2', false],
])('isOwnWrite is %s', (_, requestId, isOwn) => {
  expect(isOwnWrite({ written_by: 'req_1' }, requestId)).toBe(isOwn);
});

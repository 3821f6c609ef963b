import { expect, test } from 'vitest';
import { isOwnWrite } from '../../../lambdas/domain/foundation/own-write.ts';

test.each([
  ['the request that wrote it', 'req_1', true],
  ['another request', 'req_2', false],
])('a row is an own write only of the request that it names: %s', (_, requestId, isOwn) => {
  expect(isOwnWrite({ written_by: 'req_1' }, requestId)).toBe(isOwn);
});

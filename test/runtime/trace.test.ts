import { expect, test } from 'vitest';
import { namedIds } from '../../lambdas/runtime/named-ids.ts';
import { traceIdOf } from '../../lambdas/runtime/trace.ts';

const ownTrace = '1-67891233-abcdef012345678912345678';
const callersTraceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each([
  [`Root=${ownTrace};Parent=53995c3f42cd8ad8;Sampled=1`, callersTraceparent, ownTrace],
  [`Parent=53995c3f42cd8ad8;Root=${ownTrace}`, undefined, ownTrace],
  [undefined, callersTraceparent, '1-0af76519-16cd43dd8448eb211c80319c'],
  ['Root=1-67891233-short', undefined, undefined],
  [undefined, `${callersTraceparent}\n{"level":"forged"}`, undefined],
  [undefined, 'no trace', undefined],
  [undefined, undefined, undefined],
])('traceIdOf(%j, %j) is %j', (xray, traceparent, expected) => {
  expect(traceIdOf(xray, traceparent)).toBe(expected);
});

test('namedIds returns the ids of path and answer, each one once, and no other text', () => {
  const id = (prefix: string, last: string) => `${prefix}_${last.padStart(26, '0')}`;
  const answer = {
    data: [
      { id: id('evt', '1'), type: 'task.accepted', secret: 'whsec_x' },
      { id: id('evt', '2'), external_reference: id('tsk', '3') },
    ],
    delivery_ids: [id('dlv', '4'), 'a stranger’s'],
    key_id: 'pp_live_never',
  };

  expect(namedIds({ id: id('whk', '5') }, answer)).toEqual([
    id('whk', '5'),
    id('dlv', '4'),
    id('evt', '1'),
    id('evt', '2'),
  ]);
  expect(namedIds({}, undefined)).toEqual([]);
  expect(namedIds({}, 'a page')).toEqual([]);
});

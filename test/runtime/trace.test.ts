import { expect, test } from 'vitest';
import { namedIds } from '../../lambdas/runtime/named-ids.ts';
import { traceIdOf } from '../../lambdas/runtime/trace.ts';

const own = '1-67891233-abcdef012345678912345678';
const theirs = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each([
  [`Root=${own};Parent=53995c3f42cd8ad8;Sampled=1`, theirs, own],
  [`Parent=53995c3f42cd8ad8;Root=${own}`, undefined, own],
  [undefined, theirs, '1-0af76519-16cd43dd8448eb211c80319c'],
  ['Root=1-67891233-short', undefined, undefined],
  [undefined, `${theirs}\n{"level":"forged"}`, undefined],
  [undefined, 'no trace', undefined],
  [undefined, undefined, undefined],
])('of %j and %j the trace is %j', (xray, traceparent, expected) => {
  expect(traceIdOf(xray, traceparent)).toBe(expected);
});

test('a call is told by the ids it names and gets, and by nothing else', () => {
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

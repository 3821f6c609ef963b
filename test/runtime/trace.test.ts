import { expect, test } from 'vitest';
import { namedIds } from '../../lambdas/runtime/named-ids.ts';
import { traceIdOf } from '../../lambdas/runtime/trace.ts';

const ownTrace = '1-67891233-abcdef012345678912345678';
const callersTraceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each([
  [
    'the Root of the X-Ray header, also if there is a traceparent',
    `Root=${ownTrace};Parent=53995c3f42cd8ad8;Sampled=1`,
    callersTraceparent,
    ownTrace,
  ],
  [
    'the Root of the X-Ray header, also if it is not the first part',
    `Parent=53995c3f42cd8ad8;Root=${ownTrace}`,
    undefined,
    ownTrace,
  ],
  [
    'the trace id of the traceparent in X-Ray form, without an X-Ray header',
    undefined,
    callersTraceparent,
    '1-0af76519-16cd43dd8448eb211c80319c',
  ],
  ['nothing for a Root of the wrong length', 'Root=1-67891233-short', undefined, undefined],
  [
    'nothing for a traceparent with more text after a line break',
    undefined,
    `${callersTraceparent}\n{"level":"forged"}`,
    undefined,
  ],
  ['nothing for a traceparent of another form', undefined, 'no trace', undefined],
  ['nothing without both headers', undefined, undefined, undefined],
])('traceIdOf returns %s', (_, xray, traceparent, expected) => {
  expect(traceIdOf(xray, traceparent)).toBe(expected);
});

test('namedIds returns the path id, the delivery_ids and the ids of the listed items, and no reference, key or other text', () => {
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

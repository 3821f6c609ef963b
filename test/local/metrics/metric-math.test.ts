import { describe, expect, test } from 'vitest';
import { type MathContext, metricMath } from '../../../local/metrics/metric-math.ts';

const context: MathContext = {
  series: (id) => ({ a: [1, undefined, 3], b: [10, 20, undefined], used: [40, 90, undefined] })[id] ?? [],
  quota: () => 100,
};

describe('metric math on the local stack', () => {
  test.each([
    ['a + b * 2', [21, undefined, undefined]],
    ['(a + 1) * 2', [4, undefined, 8]],
    ['FILL(a, 0) - 1', [0, -1, 2]],
    ['FILL(a, 0) + FILL(b, 0)', [11, 20, 3]],
    ['MAX([FILL(a, 0), FILL(b, 0)])', [10, 20, 3]],
    ['SUM([a, b])', [11, 20, 3]],
    ['MIN([a, b])', [1, 20, 3]],
    ['AVG([a, b])', [5.5, 20, 3]],
    ['IF(FILL(b, 0) >= 20, 100 * 2, 0)', [0, 200, 0]],
    ['IF(a != 1, b, a)', [1, undefined, undefined]],
    ['100 * used / SERVICE_QUOTA(used)', [40, 90, undefined]],
  ])('computes the expression %s for three periods, some without a value', (expression, expected) => {
    expect(metricMath(expression)(context)).toEqual(expected);
  });

  test.each(['RATE(a)', 'a +', 'FILL(a, 0', 'a b', 'a ? b'])(
    'throws when it parses the unsupported or incomplete expression “%s”',
    (expression) => {
      expect(() => metricMath(expression)).toThrow();
    },
  );
});

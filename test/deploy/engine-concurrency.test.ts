import { describe, expect, test } from 'vitest';
import { useDeployCommand } from '../helpers/deploy-command.ts';
import type { FakeAccount } from '../helpers/fake-aws.ts';

const ready: FakeAccount = { bootstrap: 30, unreservedConcurrency: 1000 };
const deployed = (engineConcurrency?: number) =>
  ({
    status: 'UPDATE_COMPLETE',
    isProtected: true,
    ...(engineConcurrency === undefined ? {} : { engineConcurrency }),
  }) as const;

const { choose, deploy } = useDeployCommand({
  default: { stage: 'production' },
  test: {},
  small: { stage: 'production', deliverConcurrency: '2', slowConcurrency: '2' },
  wide: { stage: 'production', slowConcurrency: '500' },
  /** Plans whose settings name 300 and 0. */
  set: { stage: 'production', engineConcurrency: '300' },
  none: { stage: 'production', engineConcurrency: '0' },
});
/** The value of engineConcurrency that `cdk deploy` got in addition to the settings. */
const passedOn = (ran: readonly (readonly string[])[]) =>
  ran.find(([command]) => command === 'deploy')?.find((arg) => arg.startsWith('engineConcurrency='));

describe('the reserved concurrency of npm run deploy in production', () => {
  test.concurrent.each([
    [1000, 1000, 'engineConcurrency=200'],
    [5000, 4000, 'engineConcurrency=1000'],
    [1000, 300, 'engineConcurrency=200'],
  ])(
    'is a fifth of the quota at the first deployment: quota %s with %s unreserved gives %s',
    async (quota, unreserved, expected) => {
      const account = { ...ready, concurrencyQuota: quota, unreservedConcurrency: unreserved };

      const { code, output, ran } = await deploy(account);

      expect(passedOn(ran)).toBe(expected);
      expect(output).toMatch(/✓ Lambda reserves \d+ of \d+ concurrent executions/);
      expect(code).toBe(0);
    },
  );

  test.concurrent.each([
    ['a new account with a quota of 10', { concurrencyQuota: 10, unreservedConcurrency: 10 }, 'small'],
    ['a quota of 1,000 with 299 unreserved', { concurrencyQuota: 1000, unreservedConcurrency: 299 }, 'default'],
    ['a slowConcurrency above the part of deliver', {}, 'wide'],
  ] as const)('is nothing, with a warning and exit code 0, for %s', async (_, limits, plan) => {
    const { code, output, ran } = await deploy({ ...ready, ...limits }, choose(plan));

    expect(passedOn(ran)).toBeUndefined();
    expect(output).toMatch(/^! Lambda reserves no concurrent executions .* a flood of API calls can delay deliveries/m);
    expect(code).toBe(0);
  });

  // A reservation that depended on what is unreserved would shrink with every deployment.
  test.concurrent('stays at the value of the deployed stack, whatever is unreserved now and whether Lambda can be read', async () => {
    const later = await deploy({ ...ready, concurrencyQuota: 1000, unreservedConcurrency: 800, stack: deployed(200) });
    const higherQuota = await deploy({ ...ready, concurrencyQuota: 9000, stack: deployed(200) });
    const unreadable = await deploy({ ...ready, unreservedConcurrency: 'AccessDeniedException', stack: deployed(200) });
    const turnedOff = await deploy({ ...ready, stack: deployed(0) });

    expect([later, higherQuota, unreadable, turnedOff].map(({ ran }) => passedOn(ran))).toEqual([
      'engineConcurrency=200',
      'engineConcurrency=200',
      'engineConcurrency=200',
      'engineConcurrency=0',
    ]);
  });

  test.concurrent('of a deployed stack counts as available when the deployment checks what the stack needs under load', async () => {
    const { output } = await deploy({
      ...ready,
      concurrencyQuota: 130,
      unreservedConcurrency: 30,
      stack: deployed(100),
    });

    expect(output).toMatch(/✓ Lambda allows 30 unreserved concurrent executions and 100 reserved for this stack/);
  });

  test.concurrent.each(['set', 'none'] as const)(
    'is what the setting of plan %s says, although the deployed stack has another value',
    async (plan) => {
      const { code, ran } = await deploy({ ...ready, stack: deployed(200) }, choose(plan));

      expect(passedOn(ran)).toBeUndefined();
      expect(code).toBe(0);
    },
  );

  test.concurrent('is refused, with the largest possible value, if engineConcurrency=300 leaves fewer than 100 unreserved', async () => {
    const { code, output, ran } = await deploy({ ...ready, unreservedConcurrency: 350 }, choose('set'));

    expect(output).toMatch(
      /✗ engineConcurrency=300 leaves fewer than 100 .* at most -c engineConcurrency=250, or request/,
    );
    expect(code).toBe(1);
    expect(ran.map(([command]) => command)).toEqual(['synth']);
  });

  test.concurrent('is refused without a setting if the credentials may not read the deployed stack, and accepted with one', async () => {
    const stack = 'AccessDenied';

    const unset = await deploy({ ...ready, stack });
    const set = await deploy({ ...ready, stack }, choose('set'));

    expect(unset.output).toMatch(/✗ It is unknown how many .* set -c engineConcurrency=, or allow cloudformation:Desc/);
    expect([unset.code, set.code]).toEqual([1, 0]);
  });

  test.concurrent('is nothing in the stage test, without a word about it', async () => {
    const { output, ran } = await deploy(ready, choose('test'));

    expect(passedOn(ran)).toBeUndefined();
    expect(output).not.toContain('reserves');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DUE_SHARDS, SHARDS } from '../../lambdas/adapters/rows/table-keys.ts';
import { rateLimitSchema } from '../../lambdas/domain/accounts/account.ts';
import { engineShares } from '../../lib/engine-shares.ts';
import { stages } from '../../lib/stage-config.ts';
import { named, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

const page = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

const WRITES_A_PARTITION = 1000;
/** Partitions of a new table: DynamoDB gives it 4,000 write units. */
const NEW_PARTITIONS = 4;
/** The quota of an account that is not new, of which production reserves a fifth for the engine. */
const shares = engineShares(1000 / 5);

/**
 * Returns for each number of keys how likely the busiest partition has exactly this number, if a hash spreads `keys`
 * over the partitions of a new table.
 */
const busiestPartition = (keys: number): readonly number[] => {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const chances = Array.from({ length: keys + 1 }, () => 0);
  const place = (left: number, counts: readonly number[]): void => {
    if (counts.length === NEW_PARTITIONS - 1) {
      const all = [...counts, left];
      const ways = factorial(keys) / all.reduce((product, count) => product * factorial(count), 1);
      const busiest = Math.max(...all);
      chances[busiest] = (chances[busiest] ?? 0) + ways / NEW_PARTITIONS ** keys;
      return;
    }
    for (let count = 0; count <= left; count++) place(left - count, [...counts, count]);
  };
  place(keys, []);
  return chances;
};
const percent = (chances: readonly number[]): number =>
  Math.round(100 * chances.reduce((sum, chance) => sum + chance, 0));

const thousands = (value: number): string => value.toLocaleString('en-US');

describe('docs/scaling.md', () => {
  const template = synthesise();
  const mapping = (name: string) => named(template, 'AWS::Lambda::EventSourceMapping', name).Properties;
  const { BatchSize: batch = 0, ParallelizationFactor: parallel = 0 } = mapping('stream-mapping') as Record<
    string,
    number
  >;
  const messages = Number(mapping('deliveries-mapping').BatchSize);
  const deliveriesLane = shares.deliver - stages.production.slowConcurrency;
  const dueTimeout = named(template, 'AWS::Lambda::Function', 'due').Properties.Timeout;

  test.each([
    ['the shards of an account and of the due index', `over ${SHARDS} shards, the due index over ${DUE_SHARDS}`],
    ["an account's events", `${thousands(SHARDS * WRITES_A_PARTITION)} events/s of one account`],
    ["a webhook's deliveries", `${thousands((SHARDS * WRITES_A_PARTITION) / 2)} deliveries/s to one webhook`],
    ['the due index', `${thousands((DUE_SHARDS * WRITES_A_PARTITION) / 2)} refusals/s`],
    ['the batches of the fan-out', `${parallel} batches of ${batch} at once each`],
    ['the fan-out of a new table', `${thousands((4 * parallel * batch) / 0.1)} changes/s at ${4 * parallel} batches`],
    ['the first second of deliveries', `${Math.round((5 * messages) / 0.13)} deliveries/s at first`],
    [
      'the highest rate of all deliveries',
      `${thousands(Math.round((1250 * messages) / 0.13 / 1000) * 1000)}/s in the end`,
    ],
    ['the slow lane', `invocations of ten, ${stages.production.slowConcurrency} by default`],
    [
      'slow receivers',
      `${thousands((stages.production.slowConcurrency * messages) / 1)} deliveries/s to receivers of 1 s`,
    ],
    [
      'the throttle of the stage',
      `\`apiRateLimit\` ${thousands(stages.production.apiRateLimit)} requests/s, \`apiBurstLimit\` ${stages.production.apiBurstLimit}`,
    ],
    ["a key's highest rate limit", '30,000 at most'],
    ['the reserved part', `${shares['fan-out']} for the fan-out, ${deliveriesLane} for the queue deliveries`],
    [
      'the deliveries of the reserved part',
      `${thousands(Math.round((deliveriesLane * messages) / 0.13))} deliveries/s at`,
    ],
    ['the timeout of the due tick', `stops after 45 of its ${dueTimeout} s`],
    ['the lookups of a zone', `${1024 / 2} lookups/s per zone`],
    ['an account on a new table', `${thousands((SHARDS * WRITES_A_PARTITION) / 2)} on a new table`],
  ])('has the same number as the code for %s: "%s"', (_, statement) => {
    if (!page.includes(statement)) expect(page).toContain(statement);
  });

  // A key is not a partition: an account with four keys does not have four partitions on the first day.
  test('gives the usual traffic of the busiest partition of a new table, for the 4 keys of a list and the 16 of the due index', () => {
    const four = busiestPartition(SHARDS);
    const sixteen = busiestPartition(DUE_SHARDS);
    const usual = sixteen.indexOf(Math.max(...sixteen));

    expect(page).toContain(`in ${percent(four.slice(2))} of 100 cases two or more do`);
    expect(page).toContain(`in ${percent(four.slice(3))} of 100 cases three or four do, and 1,333 or 1,000`);
    expect(page).toContain(
      `usually has ${usual} of the ${DUE_SHARDS}: ${thousands(Math.round((WRITES_A_PARTITION * DUE_SHARDS) / usual))} writes/s`,
    );
  });

  test('rateLimitSchema accepts 30,000 and rejects 30,001', () => {
    expect(rateLimitSchema.safeParse(30_000).success).toBe(true);
    expect(rateLimitSchema.safeParse(30_001).success).toBe(false);
  });

  test('names the alarms iterator-age and throttles, and the template has each of them once', () => {
    const alarms = resourcesOfType(template, 'AWS::CloudWatch::Alarm').map(({ Metadata }) => Metadata['aws:cdk:path']);

    for (const name of ['iterator-age', 'throttles']) {
      expect(page).toContain(`\`${name}\``);
      expect(alarms.filter((path) => path.includes(`/${name}/`))).toHaveLength(1);
    }
  });
});

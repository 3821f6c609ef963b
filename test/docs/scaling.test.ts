import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DUE_SHARDS, SHARDS } from '../../lambdas/adapters/rows/table-keys.ts';
import { rateLimitSchema } from '../../lambdas/domain/accounts/account.ts';
import { stages } from '../../lib/stage-config.ts';
import { named, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

const page = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

const WRITES_A_PARTITION = 1000;
const thousands = (value: number): string => value.toLocaleString('en-US');

describe('docs/scaling.md', () => {
  const template = synthesise();
  const mapping = (name: string) => named(template, 'AWS::Lambda::EventSourceMapping', name).Properties;
  const { BatchSize: batch = 0, ParallelizationFactor: parallel = 0 } = mapping('stream-mapping') as Record<
    string,
    number
  >;
  const messages = Number(mapping('deliveries-mapping').BatchSize);

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
  ])('gives the number of the code for %s: "%s"', (_, statement) => {
    if (!page.includes(statement)) expect(page).toContain(statement);
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

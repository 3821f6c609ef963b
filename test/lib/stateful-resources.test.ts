import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { replacements, type Stateful, statefulResources } from '../helpers/stateful-resources.ts';
import { resourcesOf, synthesise } from '../helpers/synthesised.ts';

// What stands in deployments. A line that changes here is a table, queue, secret, mapping or address that every
// deployment loses at its next update: add lines freely, change or drop one only with a migration in CHANGELOG.md.
const deployed: Stateful = JSON.parse(readFileSync(new URL('stateful-resources.json', import.meta.url), 'utf8'));

describe('stateful resources', () => {
  const now = statefulResources(synthesise({ stage: 'production' }));
  const table = 'storagedomaintable';
  const idOf = (start: string) => Object.keys(now).find((id) => id.startsWith(start)) ?? '';

  test('are those that are deployed: an update replaces none', () => {
    expect(replacements(deployed, now)).toEqual([]);
  });

  test('are all in the list', () => {
    expect(Object.keys(now).filter((id) => !(id in deployed))).toEqual([]);
  });

  test.each([
    { stage: 'test' },
    { kmsKeyArn: 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
    { formerKmsKeyArn: 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
    { egressAddresses: '2' },
    { deliverConcurrency: '2', slowConcurrency: '2', retentionDays: '1', logRetentionDays: '1' },
  ])('stay when %o is chosen later', (settings) => {
    expect(replacements(now, statefulResources(synthesise(settings)))).toEqual([]);
  });

  test('are not renamed unnoticed', () => {
    const id = idOf(table);
    const renamed = JSON.parse(JSON.stringify(now).replaceAll(id, 'storagetaskstable01234567'));

    expect(replacements(deployed, renamed)).toEqual([
      `${id} (AWS::DynamoDB::Table) would be deleted`,
      // Its stream is the mapping's source.
      `${idOf('fanoutstreammapping')} (AWS::Lambda::EventSourceMapping) would be replaced: EventSourceArn is another`,
    ]);
  });

  test.each([
    [table, 'KeySchema'],
    [table, 'index list'],
    [table, 'attribute pk'],
    [table, 'StreamSpecification'],
    ['fanoutstreammapping', 'StartingPosition'],
    ['apihttpapi', 'ProtocolType'],
  ])('%s does not get another %s unnoticed', (start, property) => {
    const id = idOf(start);
    const changed = { ...now, [id]: { ...now[id], Type: String(now[id]?.Type), [property]: 'another' } };

    expect(replacements(deployed, changed)).toEqual([
      `${id} (${now[id]?.Type}) would be replaced: ${property} is another`,
    ]);
  });

  test('may get another index', () => {
    const id = idOf(table);
    const more = { ...now, [id]: { ...now[id], Type: String(now[id]?.Type), 'index more': {}, 'attribute more': 'S' } };

    expect(replacements(deployed, more)).toEqual([]);
  });

  test('do not get a name unnoticed', () => {
    const id = idOf('deliverydeliveries');
    const named = { ...now, [id]: { ...now[id], QueueName: 'deliveries' } };

    expect(replacements(deployed, named)).toEqual([`${id} (AWS::SQS::Queue) would be replaced: QueueName is another`]);
  });

  test('hold every table, queue and secret of the template', () => {
    const kinds = /^AWS::(DynamoDB::Table|SQS::Queue|SecretsManager::Secret|Lambda::EventSourceMapping)$/;
    const template = synthesise({ stage: 'production' });
    const holding = Object.entries(resourcesOf(template)).filter(([, { Type }]) => kinds.test(Type));

    expect(holding.filter(([id]) => !(id in deployed))).toEqual([]);
    expect(holding.length).toBeGreaterThanOrEqual(11);
  });
});

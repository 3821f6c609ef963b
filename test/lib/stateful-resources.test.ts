import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { replacements, type Stateful, statefulResources } from '../helpers/stateful-resources.ts';
import { resourcesOf, synthesise } from '../helpers/synthesised.ts';

// The stateful resources of existing deployments. A changed line means that every deployment loses this resource (table, queue,
// secret, mapping, address) at its next update. Add lines freely; change or delete a line only with a migration in CHANGELOG.md.
const deployed: Stateful = JSON.parse(readFileSync(new URL('stateful-resources.json', import.meta.url), 'utf8'));

describe('the stateful resources of the template', () => {
  const now = statefulResources(synthesise({ stage: 'production' }));
  const table = 'storagedomaintable';
  const idOf = (start: string) => Object.keys(now).find((id) => id.startsWith(start)) ?? '';

  test('the production template would delete or replace no resource of stateful-resources.json', () => {
    expect(replacements(deployed, now)).toEqual([]);
  });

  test('every stateful resource of the production template is listed in stateful-resources.json', () => {
    expect(Object.keys(now).filter((id) => !(id in deployed))).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['no other setting', { stage: 'test' }],
    ['kmsKeyArn', { kmsKeyArn: 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' }],
    [
      'formerKmsKeyArn',
      { formerKmsKeyArn: 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
    ],
    ['egressAddresses=2', { egressAddresses: '2' }],
    [
      'other concurrencies and retention times',
      { deliverConcurrency: '2', slowConcurrency: '2', retentionDays: '1', logRetentionDays: '1' },
    ],
  ])(
    'the template of the stage test with %s would delete or replace no resource of the production template',
    (_, settings) => {
      expect(replacements(now, statefulResources(synthesise(settings)))).toEqual([]);
    },
  );

  test('replacements() reports a table with a new logical id as deleted, and the mapping of its stream as replaced', () => {
    const id = idOf(table);
    const renamed = JSON.parse(JSON.stringify(now).replaceAll(id, 'storagetaskstable01234567'));

    expect(replacements(deployed, renamed)).toEqual([
      `${id} (AWS::DynamoDB::Table) would be deleted`,
      // The stream of the table is the source of the mapping.
      `${idOf('fanoutstreammapping')} (AWS::Lambda::EventSourceMapping) would be replaced: EventSourceArn changes`,
    ]);
  });

  test.each([
    [table, 'KeySchema'],
    [table, 'index list'],
    [table, 'attribute pk'],
    [table, 'StreamSpecification'],
    ['fanoutstreammapping', 'StartingPosition'],
    ['apihttpapi', 'ProtocolType'],
  ])('replacements() reports that %s would be replaced if its %s changes', (start, property) => {
    const id = idOf(start);
    const changed = { ...now, [id]: { ...now[id], Type: String(now[id]?.Type), [property]: 'another' } };

    expect(replacements(deployed, changed)).toEqual([
      `${id} (${now[id]?.Type}) would be replaced: ${property} changes`,
    ]);
  });

  test('replacements() reports nothing if a table gets an additional index and attribute', () => {
    const id = idOf(table);
    const more = { ...now, [id]: { ...now[id], Type: String(now[id]?.Type), 'index more': {}, 'attribute more': 'S' } };

    expect(replacements(deployed, more)).toEqual([]);
  });

  test('replacements() reports that a queue would be replaced if it gets a QueueName', () => {
    const id = idOf('deliverydeliveries');
    const named = { ...now, [id]: { ...now[id], QueueName: 'deliveries' } };

    expect(replacements(deployed, named)).toEqual([`${id} (AWS::SQS::Queue) would be replaced: QueueName changes`]);
  });

  test('all tables, queues, secrets and mappings of the production template (12 or more) are listed in stateful-resources.json', () => {
    const kinds = /^AWS::(DynamoDB::Table|SQS::Queue|SecretsManager::Secret|Lambda::EventSourceMapping)$/;
    const template = synthesise({ stage: 'production' });
    const stateful = Object.entries(resourcesOf(template)).filter(([, { Type }]) => kinds.test(Type));

    expect(stateful.filter(([id]) => !(id in deployed))).toEqual([]);
    expect(stateful.length).toBeGreaterThanOrEqual(12);
  });
});

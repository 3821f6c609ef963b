import { describe, expect, test } from 'vitest';
import { mostSettings } from '../helpers/settings.ts';
import { named, nameOf, resourcesOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

const retained = [
  ['AWS::DynamoDB::Table', 'domain-table', 'Retain'],
  ['AWS::DynamoDB::Table', 'delivery-table', 'Retain'],
  ['AWS::DynamoDB::Table', 'credentials-table', 'Retain'],
  ['AWS::SecretsManager::Secret', 'keyring', 'RetainExceptOnCreate'],
  ['AWS::SecretsManager::Secret', 'operator-key', 'RetainExceptOnCreate'],
  ['AWS::Logs::LogGroup', 'deliver-log', 'RetainExceptOnCreate'],
] as const;

describe('the stack', () => {
  const template = synthesise();
  const production = synthesise({ stage: 'production' });

  // The rollback of a failed first deployment deletes what has RetainExceptOnCreate, so it leaves only empty tables.
  test.each(retained)('the %s %s has the DeletionPolicy %s in production and Delete in test', (type, name, policy) => {
    expect(named(production, type, name).DeletionPolicy).toBe(policy);
    expect(named(template, type, name).DeletionPolicy).toBe('Delete');
  });

  test('enables DeletionProtection for all three tables in production and for no table in test', () => {
    const isProtected = (stage: typeof template) =>
      resourcesOfType(stage, 'AWS::DynamoDB::Table').map(({ Properties }) => Properties.DeletionProtectionEnabled);

    expect(isProtected(production)).toEqual([true, true, true]);
    expect(isProtected(template)).toEqual([false, false, false]);
  });

  test('has no resource with the DeletionPolicy Retain or RetainExceptOnCreate in the stage test', () => {
    const retainedResources = Object.values(resourcesOf(template)).filter(({ DeletionPolicy }) =>
      DeletionPolicy?.startsWith('Retain'),
    );

    expect(retainedResources.map(nameOf)).toEqual([]);
  });

  test('gives no table, queue, function, role, log group, secret, topic, alarm or rule a physical name, except the access log', () => {
    const nameOfType: Readonly<Record<string, string>> = {
      'AWS::DynamoDB::Table': 'TableName',
      'AWS::SQS::Queue': 'QueueName',
      'AWS::Lambda::Function': 'FunctionName',
      'AWS::IAM::Role': 'RoleName',
      'AWS::Logs::LogGroup': 'LogGroupName',
      'AWS::SecretsManager::Secret': 'Name',
      'AWS::SNS::Topic': 'TopicName',
      'AWS::CloudWatch::Alarm': 'AlarmName',
      'AWS::Events::Rule': 'Name',
    };

    const withName = Object.entries(nameOfType).flatMap(([type, property]) =>
      resourcesOfType(template, type).filter(({ Properties }) => property in Properties),
    );

    expect(withName.map(nameOf)).toEqual(['access-log']);
  });

  // A retained log of a deleted stack would refuse a new stack whose log has the same name.
  test('names the access log /aws/vendedlogs/<stack>/access-<unique id of the stack>', () => {
    const nameIn = (stage: typeof template) =>
      named(stage, 'AWS::Logs::LogGroup', 'access-log').Properties.LogGroupName;
    const uniqueId = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };

    expect(nameIn(template)).toEqual({ 'Fn::Join': ['', ['/aws/vendedlogs/passpost-test/access-', uniqueId]] });
    expect(nameIn(production)).toEqual({ 'Fn::Join': ['', ['/aws/vendedlogs/passpost-production/access-', uniqueId]] });
  });

  const reservations = (stage: typeof template) =>
    resourcesOfType(stage, 'AWS::Lambda::Function')
      .filter(({ Properties }) => 'ReservedConcurrentExecutions' in Properties)
      .map((fn) => [nameOf(fn), fn.Properties.ReservedConcurrentExecutions]);

  test.each([
    ['without engineConcurrency', {}],
    ['with engineConcurrency=0', { engineConcurrency: '0' }],
  ])('%s, production sets ReservedConcurrentExecutions for no function', (_, settings) => {
    expect(reservations(synthesise({ stage: 'production', ...settings }))).toEqual([]);
  });

  // API functions share the concurrency that is left. A flood of calls cannot take the reserved part.
  test('with engineConcurrency=200, reserves 200 executions for deliver, fan-out, due and roll-up together, and reports 200 as an output', () => {
    const reserving = synthesise({ stage: 'production', engineConcurrency: '200' });

    expect(Object.fromEntries(reservations(reserving))).toEqual({ deliver: 147, 'fan-out': 49, due: 2, 'roll-up': 2 });
    expect(reserving.toJSON().Outputs.EngineConcurrency.Value).toBe('200');
  });

  // Lambda takes messages from a queue up to the maximum of its mapping, and a message that finds no free invocation
  // counts toward the dead letters.
  test.each([
    ['engineConcurrency=200', { engineConcurrency: '200' }],
    ['engineConcurrency=20', { engineConcurrency: '20' }],
    ['engineConcurrency=5000', { engineConcurrency: '5000' }],
    ['engineConcurrency=100, deliverConcurrency=50 and slowConcurrency=20', mostSettings],
  ])('with %s, the maximums of both queues together are at most the reserved executions of deliver', (_, settings) => {
    const stage = synthesise(settings);
    const maximums = ['deliveries-mapping', 'slow-mapping'].map(
      (name) =>
        named(stage, 'AWS::Lambda::EventSourceMapping', name).Properties.ScalingConfig as {
          MaximumConcurrency: number;
        },
    );
    const [deliveries = 0, slow = 0] = maximums.map(({ MaximumConcurrency }) => MaximumConcurrency);
    const { deliver } = Object.fromEntries(reservations(stage));

    expect(Math.min(deliveries, slow)).toBeGreaterThanOrEqual(2);
    expect(Math.max(deliveries, slow)).toBeLessThanOrEqual(1000);
    expect(deliveries + slow).toBeLessThanOrEqual(deliver);
  });

  test('has the same logical ids and resource types in the stages test and production', () => {
    const shape = (stage: typeof template) =>
      Object.entries(resourcesOf(stage)).map(([id, { Type }]) => `${id} ${Type}`);

    expect(shape(production)).toEqual(shape(template));
  });
});

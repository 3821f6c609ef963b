import { describe, expect, test } from 'vitest';
import { frontDoorSettings } from '../helpers/settings.ts';
import {
  functionNames,
  nameOf,
  resourcesOfType,
  type Statement,
  statementsOf,
  synthesise,
} from '../helpers/synthesised.ts';

const kmsKeyArn = 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const otherArn = kmsKeyArn.replace('1234abcd', 'abcd1234');

const keysOfStatements = (template: ReturnType<typeof synthesise>) =>
  functionNames(template)
    .flatMap((name) => statementsOf(template, name))
    .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('kms:')))
    .map(({ Resource }) => [Resource].flat());

const encrypted = (template: ReturnType<typeof synthesise>) =>
  Object.values(template.toJSON().Resources as Record<string, { Type: string }>).filter(
    ({ Type }) => Type !== 'AWS::IAM::Policy',
  );

describe("a stack with a customer's KMS key (kmsKeyArn)", () => {
  const template = synthesise({ kmsKeyArn, ...frontDoorSettings });

  test.each([
    ['AWS::SQS::Queue', 'KmsMasterKeyId', 4],
    ['AWS::SecretsManager::Secret', 'KmsKeyId', 3],
    ['AWS::SNS::Topic', 'KmsMasterKeyId', 1],
    ['AWS::Logs::LogGroup', 'KmsKeyId', functionNames(template).length + 1],
  ])('every %s has kmsKeyArn as its %s (resources: %i)', (type, property, count) => {
    const keys = resourcesOfType(template, type).map(({ Properties }) => Properties[property]);

    expect(keys).toEqual(Array(count).fill(kmsKeyArn));
  });

  test('every DynamoDB table is encrypted with kmsKeyArn', () => {
    template.allResourcesProperties('AWS::DynamoDB::Table', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKeyArn },
    });
  });

  // A service uses the key with the permissions of its caller, so a function that may call the service needs the key through it.
  test.each(functionNames(template))(
    'the role of %s may use the key through exactly those of DynamoDB, SQS and Secrets Manager that it may call',
    (name) => {
      const statements = statementsOf(template, name);
      const servicesOf = (list: readonly Statement[]) =>
        new Set(list.flatMap(({ Action }) => Action).map((action) => action.split(':')[0] ?? ''));
      const isKms = ({ Action }: Statement) => [Action].flat().some((action) => action.startsWith('kms:'));
      const called = servicesOf(statements.filter((statement) => !isKms(statement)));

      const through = statements.filter(isKms).map(({ Resource, Condition }) => {
        expect(Resource).toBe(kmsKeyArn);
        return /"kms:ViaService":\{"Fn::Join":\["",\["(\w+)\./.exec(JSON.stringify(Condition))?.[1];
      });

      const encrypted = ['dynamodb', 'secretsmanager', 'sqs'].filter((service) => called.has(service));
      expect(through.toSorted()).toEqual(encrypted);
    },
  );

  // The bug: functions that only read a secret were also allowed to generate data keys.
  test('only the key-material function may call kms:GenerateDataKey through Secrets Manager', () => {
    const mayGenerate = (name: string) =>
      statementsOf(template, name).some(
        ({ Action, Condition }) =>
          JSON.stringify(Condition ?? {}).includes('secretsmanager') && Action.includes('kms:GenerateDataKey'),
      );

    expect(functionNames(template).filter(mayGenerate)).toEqual(['key-material']);
  });

  test('without kmsKeyArn, no resource of the template contains the text kms', () => {
    const withKey = Object.values(synthesise().toJSON().Resources as Record<string, object>).filter((resource) =>
      JSON.stringify(resource).includes('kms'),
    );

    expect(withKey).toEqual([]);
  });

  test('kmsKeyArn changes no logical id, and alarms is the only SNS topic', () => {
    const ids = (source: typeof template) => Object.keys(source.toJSON().Resources);

    expect(ids(template)).toEqual(ids(synthesise(frontDoorSettings)));
    expect(resourcesOfType(template, 'AWS::SNS::Topic').map(nameOf)).toEqual(['alarms']);
  });
});

// The bug: when a key was removed or changed, no role could use the former key any more although queues still held messages that
// only this key decrypts. When a key was added, resources used it before the roles allowed it.
describe('a stack with formerKmsKeyArn or nextKmsKeyArn', () => {
  test.each(['formerKmsKeyArn', 'nextKmsKeyArn'])(
    '%s is in every role statement that allows kmsKeyArn, and in no resource except IAM policies',
    (name) => {
      const template = synthesise({ kmsKeyArn, [name]: otherArn, ...frontDoorSettings });

      const keys = keysOfStatements(template);
      expect(keys).toHaveLength(keysOfStatements(synthesise({ kmsKeyArn, ...frontDoorSettings })).length);
      for (const arns of keys) expect(arns).toEqual([kmsKeyArn, otherArn]);
      expect(JSON.stringify(encrypted(template))).not.toContain(otherArn);
    },
  );

  test('nextKmsKeyArn without kmsKeyArn is the only key in role statements, and changes only IAM policies', () => {
    const template = synthesise({ nextKmsKeyArn: otherArn, ...frontDoorSettings });

    for (const arns of keysOfStatements(template)) expect(arns).toEqual([otherArn]);
    expect(encrypted(template)).toEqual(encrypted(synthesise(frontDoorSettings)));
  });

  test('formerKmsKeyArn without kmsKeyArn is only in IAM policies; tables, secrets and queues name AWS’s own encryption', () => {
    const template = synthesise({ formerKmsKeyArn: otherArn, ...frontDoorSettings });

    for (const arns of keysOfStatements(template)) expect(arns).toEqual([otherArn]);
    expect(JSON.stringify(encrypted(template))).not.toContain(otherArn);
    template.allResourcesProperties('AWS::DynamoDB::Table', { SSESpecification: { SSEEnabled: false } });
    template.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: 'alias/aws/secretsmanager' });
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
  });
});

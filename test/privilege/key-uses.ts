import type { Use } from './uses.ts';

/** The KMS actions that a service performs on a customer's key, with the permissions of its caller. */
const keyActions: readonly { readonly call: RegExp; readonly actions: readonly string[] }[] = [
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html: every call makes DynamoDB
  // decrypt the table's key for its caller, and DynamoDB caches it for five minutes.
  { call: /^dynamodb:/, actions: ['Decrypt'] },
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  { call: /^sqs:SendMessage$/, actions: ['Decrypt', 'GenerateDataKey'] },
  { call: /^sqs:ReceiveMessage$/, actions: ['Decrypt'] },
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  { call: /^secretsmanager:GetSecretValue$/, actions: ['Decrypt'] },
  { call: /^secretsmanager:PutSecretValue$/, actions: ['Decrypt', 'GenerateDataKey'] },
];

/** The uses of a customer's key that these calls cause if the key encrypts tables, queues and secrets. */
export const keyUses = (uses: readonly Use[], keyArn: string): Use[] =>
  uses.flatMap(({ functionName, action }) =>
    keyActions
      .filter(({ call }) => call.test(action))
      .flatMap(({ actions }) => actions)
      .map((name) => ({
        functionName,
        action: `kms:${name}`,
        resource: keyArn,
        leadingKeys: [],
        through: action.split(':')[0] ?? '',
      })),
  );

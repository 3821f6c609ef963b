import type { Use } from './uses.ts';

/** What a service asks of a customer's key, in the name of whoever calls it. */
const asks: readonly { readonly call: RegExp; readonly actions: readonly string[] }[] = [
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html: the table's key is
  // decrypted for each caller, whatever the call, and kept for five minutes.
  { call: /^dynamodb:/, actions: ['Decrypt'] },
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  { call: /^sqs:SendMessage$/, actions: ['Decrypt', 'GenerateDataKey'] },
  { call: /^sqs:ReceiveMessage$/, actions: ['Decrypt'] },
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  { call: /^secretsmanager:GetSecretValue$/, actions: ['Decrypt'] },
  { call: /^secretsmanager:PutSecretValue$/, actions: ['Decrypt', 'GenerateDataKey'] },
];

/** What the same calls would use a customer's key for, where tables, queues and secrets are encrypted with it. */
export const keyUses = (uses: readonly Use[], keyArn: string): Use[] =>
  uses.flatMap(({ functionName, action }) =>
    asks
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

import { describe, expect, it } from 'vitest';
import { refusalOfBatch, refusalOfMessage, splitBatch } from '../../../local/queues/queue-limits.ts';

describe('the local queues, which have the limits of SQS', () => {
  it.each([
    ['accept a delay of 0 s', 0, undefined],
    ['accept a delay of 900 s', 900, undefined],
    ['reject a delay of 901 s with InvalidParameterValue', 901, 'InvalidParameterValue'],
    ['reject a delay of -1 s with InvalidParameterValue', -1, 'InvalidParameterValue'],
    ['reject a delay of 1.5 s with InvalidParameterValue', 1.5, 'InvalidParameterValue'],
  ])('%s', (_, DelaySeconds, code) => {
    expect(refusalOfMessage({ MessageBody: 'm', DelaySeconds })?.code).toBe(code);
  });

  it('reject an empty message body with MissingParameter', () => {
    expect(refusalOfMessage({ MessageBody: '' })?.code).toBe('MissingParameter');
  });

  it.each([
    ['an empty entry id', ''],
    ['a missing entry id', undefined],
    ['an entry id of 81 characters', 'x'.repeat(81)],
  ])('reject %s with InvalidBatchEntryId', (_, Id) => {
    expect(refusalOfBatch([{ Id, MessageBody: 'm' }])?.code).toBe('InvalidBatchEntryId');
  });

  it('accept the valid entry of a batch and reject only the entry with a delay of 901 s', () => {
    const batch = splitBatch([
      { Id: 'a', MessageBody: 'm' },
      { Id: 'b', MessageBody: 'm', DelaySeconds: 901 },
    ]);

    expect(batch.valid).toEqual([{ Id: 'a', MessageBody: 'm' }]);
    expect(batch.failed).toMatchObject([{ Id: 'b', SenderFault: true, Code: 'InvalidParameterValue' }]);
  });
});

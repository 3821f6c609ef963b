import { describe, expect, it } from 'vitest';
import { refusalOfBatch, refusalOfMessage, splitBatch } from '../../../local/queues/queue-limits.ts';

describe('the limits of SQS', () => {
  it.each([
    [0, undefined],
    [900, undefined],
    [901, 'InvalidParameterValue'],
    [-1, 'InvalidParameterValue'],
    [1.5, 'InvalidParameterValue'],
  ])('a delay of %s s gives the error code %s', (DelaySeconds, code) => {
    expect(refusalOfMessage({ MessageBody: 'm', DelaySeconds })?.code).toBe(code);
  });

  it('reject an empty message', () => {
    expect(refusalOfMessage({ MessageBody: '' })?.code).toBe('MissingParameter');
  });

  it.each([[''], [undefined], ['x'.repeat(81)]])('reject the entry id %j', (Id) => {
    expect(refusalOfBatch([{ Id, MessageBody: 'm' }])?.code).toBe('InvalidBatchEntryId');
  });

  it('reject only the invalid entries of a batch', () => {
    const batch = splitBatch([
      { Id: 'a', MessageBody: 'm' },
      { Id: 'b', MessageBody: 'm', DelaySeconds: 901 },
    ]);

    expect(batch.valid).toEqual([{ Id: 'a', MessageBody: 'm' }]);
    expect(batch.failed).toMatchObject([{ Id: 'b', SenderFault: true, Code: 'InvalidParameterValue' }]);
  });
});

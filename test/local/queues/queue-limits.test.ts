import { describe, expect, it } from 'vitest';
import { partBatch, refusalOfBatch, refusalOfMessage } from '../../../local/queues/queue-limits.ts';

describe('what SQS refuses', () => {
  it.each([
    [0, undefined],
    [900, undefined],
    [901, 'InvalidParameterValue'],
    [-1, 'InvalidParameterValue'],
    [1.5, 'InvalidParameterValue'],
  ])('judges a delay of %s', (DelaySeconds, code) => {
    expect(refusalOfMessage({ MessageBody: 'm', DelaySeconds })?.code).toBe(code);
  });

  it('refuses an empty message', () => {
    expect(refusalOfMessage({ MessageBody: '' })?.code).toBe('MissingParameter');
  });

  it.each([[''], [undefined], ['x'.repeat(81)]])('refuses the entry id %j', (Id) => {
    expect(refusalOfBatch([{ Id, MessageBody: 'm' }])?.code).toBe('InvalidBatchEntryId');
  });

  it('lets the others of a batch pass', () => {
    const parted = partBatch([
      { Id: 'a', MessageBody: 'm' },
      { Id: 'b', MessageBody: 'm', DelaySeconds: 901 },
    ]);

    expect(parted.passed).toEqual([{ Id: 'a', MessageBody: 'm' }]);
    expect(parted.failed).toMatchObject([{ Id: 'b', SenderFault: true, Code: 'InvalidParameterValue' }]);
  });
});

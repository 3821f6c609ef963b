import {
  GetEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { readStackFile, type StackFile } from '../../../local/state/stack-file.ts';
import { type Run, useStacks } from '../recorder.ts';

const clientOf = ({ endpoints }: StackFile): LambdaClient =>
  new LambdaClient({
    endpoint: endpoints.lambda,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

const parts = ({ stack }: Run) => {
  const file = readStackFile(stack.dataFolder) as StackFile;
  const idOf = (type: string, pattern: RegExp): string =>
    file.resources.find((resource) => resource.type === type && pattern.test(resource.physicalId))?.physicalId ?? '';
  return { client: clientOf(file), idOf };
};

describe('the Lambda endpoint of the local stack', () => {
  const start = useStacks();

  it('UpdateEventSourceMapping disables a queue’s mapping, so that a message waits, and enables it, so that the message is delivered', async () => {
    const run = await start();
    const { client, idOf } = parts(run);
    const UUID = idOf('AWS::Lambda::EventSourceMapping', /queue/i);

    const disabled = await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await run.send({ MessageBody: 'waits' });
    await run.stack.settled();
    const seen = await client.send(new GetEventSourceMappingCommand({ UUID }));
    const [waiting, carried] = [run.stack.depth('work').visible, run.recorder.queueBatches.length];
    await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    await run.stack.settled();

    expect([disabled.State, seen.State, waiting, carried]).toEqual(['Disabled', 'Disabled', 1, 0]);
    expect(run.recorder.queueBatches.flat().map(({ body }) => body)).toEqual(['waits']);
  });

  it('Invoke answers 200 for a function that succeeds, and the FunctionError “Unhandled” for a function that throws', async () => {
    const run = await start();
    const { client } = parts(run);
    const invoke = (FunctionName: string, event: unknown) =>
      client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));

    const answered = await invoke('tick', { time: 'now' });
    const thrown = await invoke('mapped-queue', {});

    expect([answered.StatusCode, answered.FunctionError, run.recorder.ticks]).toEqual([
      200,
      undefined,
      [{ time: 'now' }],
    ]);
    expect(thrown.FunctionError).toBe('Unhandled');
    expect(thrown.Payload?.transformToString()).toContain('errorMessage');
  });

  it('rejects an unknown function or mapping with ResourceNotFoundException, and a new BatchSize with InvalidParameterValueException', async () => {
    const run = await start();
    const { client, idOf } = parts(run);
    const UUID = idOf('AWS::Lambda::EventSourceMapping', /queue/i);

    const refusals = await Promise.allSettled([
      client.send(new InvokeCommand({ FunctionName: 'none', Payload: '{}' })),
      client.send(new GetEventSourceMappingCommand({ UUID: 'none' })),
      client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 5 })),
    ]);

    expect(refusals).toMatchObject([
      { reason: { name: 'ResourceNotFoundException' } },
      { reason: { name: 'ResourceNotFoundException' } },
      { reason: { name: 'InvalidParameterValueException' } },
    ]);
  });

  it('has a stack file with the stack’s resources in the data folder while the stack runs, and no stack file after the stack has stopped', async () => {
    const run = await start();
    const { dataFolder } = run.stack;
    const during = readStackFile(dataFolder);
    await run.stack.stop();

    expect(during?.resources.length).toBeGreaterThan(5);
    expect(readStackFile(dataFolder)).toBeUndefined();
  });
});

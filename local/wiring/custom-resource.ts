import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InvocationResult } from '../functions/execution-environment.ts';
import type { Resource } from '../template/template.ts';

interface Answer {
  readonly Status?: string;
  readonly Reason?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

const DEFAULT_TIMEOUT_SECONDS = 300;

/** Runs the resource's `Create` as CloudFormation does: the function answers at a URL. Gives what it answered with. */
export const createCustomResource = async (
  { logicalId, type, name }: Resource,
  properties: Readonly<Record<string, unknown>>,
  stackId: string,
  invoke: (event: unknown) => Promise<InvocationResult>,
): Promise<Readonly<Record<string, unknown>>> => {
  const answered = Promise.withResolvers<Answer>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    response.end();
    try {
      answered.resolve(JSON.parse(Buffer.concat(chunks).toString()) as Answer);
    } catch {
      answered.resolve({ Status: 'FAILED', Reason: 'its answer is no JSON' });
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const timeoutSeconds = Number(properties.ServiceTimeout ?? DEFAULT_TIMEOUT_SECONDS);
  const timer = setTimeout(
    () => answered.resolve({ Status: 'FAILED', Reason: `it did not answer within ${timeoutSeconds} s` }),
    timeoutSeconds * 1000,
  );
  try {
    const invoked = await invoke({
      RequestType: 'Create',
      ServiceToken: properties.ServiceToken,
      ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
      StackId: stackId,
      RequestId: randomUUID(),
      LogicalResourceId: logicalId,
      ResourceType: type,
      ResourceProperties: properties,
    });
    if (!invoked.ok) answered.resolve({ Status: 'FAILED', Reason: `${invoked.error.type}: ${invoked.error.message}` });
    const { Status, Reason, Data = {} } = await answered.promise;
    if (Status !== 'SUCCESS') throw new Error(`The custom resource ${name} could not be created: ${Reason ?? Status}`);
    return Data;
  } finally {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
  }
};

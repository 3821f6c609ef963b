import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InvocationResult } from '../functions/execution-environment.ts';
import type { FunctionPool } from '../functions/function-pool.ts';
import { ACCOUNT, REGION } from '../template/intrinsics.ts';
import type { Resource } from '../template/template.ts';
import { functionNameOf } from './references.ts';
import type { StackContext } from './stack-context.ts';

interface CustomResourceResponse {
  readonly Status?: string;
  readonly Reason?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

const DEFAULT_TIMEOUT_SECONDS = 300;

/** Creates the template's custom resources one after the other and stores the data that their functions return. */
export const createCustomResources = async (
  { assembly, resolve, running }: StackContext,
  pool: FunctionPool,
): Promise<void> => {
  const stackId = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${assembly.stackName}/local`;
  const resources = [...assembly.resources.values()].filter(
    ({ type }) => type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource',
  );
  for (const resource of resources) {
    const properties = resolve(resource.properties) as Record<string, unknown>;
    const functionName = functionNameOf(String(properties.ServiceToken));
    const invoke = (event: unknown): Promise<InvocationResult> => pool.invoke(functionName, event);
    running.customData.set(resource.logicalId, await createCustomResource(resource, properties, stackId, invoke));
  }
};

/**
 * Sends the resource's `Create` event as CloudFormation does, and waits for the function's response at a URL. Returns the
 * response's `Data`; throws if the creation failed.
 */
const createCustomResource = async (
  { logicalId, type, name }: Resource,
  properties: Readonly<Record<string, unknown>>,
  stackId: string,
  invoke: (event: unknown) => Promise<InvocationResult>,
): Promise<Readonly<Record<string, unknown>>> => {
  const outcome = Promise.withResolvers<CustomResourceResponse>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    response.end();
    try {
      outcome.resolve(JSON.parse(Buffer.concat(chunks).toString()) as CustomResourceResponse);
    } catch {
      outcome.resolve({ Status: 'FAILED', Reason: 'its response is not JSON' });
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const timeoutSeconds = Number(properties.ServiceTimeout ?? DEFAULT_TIMEOUT_SECONDS);
  const timer = setTimeout(
    () => outcome.resolve({ Status: 'FAILED', Reason: `it did not respond within ${timeoutSeconds} s` }),
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
    if (!invoked.ok) outcome.resolve({ Status: 'FAILED', Reason: `${invoked.error.type}: ${invoked.error.message}` });
    const { Status, Reason, Data = {} } = await outcome.promise;
    if (Status !== 'SUCCESS') throw new Error(`The custom resource ${name} could not be created: ${Reason ?? Status}`);
    return Data;
  } finally {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
  }
};

import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call from a function to an engine, before it is forwarded. */
export interface AwsCall {
  readonly functionName: string;
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Kills the calling environment immediately, during its invocation. */
  kill(): Promise<void>;
}

export interface AwsAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Receives every call between functions and engines in a test. It can forward, delay or answer the call, or kill the caller. */
export type Interceptor = (call: AwsCall, forward: () => Promise<AwsAnswer>) => Promise<AwsAnswer>;

/** DynamoDB's response when a table has no capacity left. */
export const throttled: AwsAnswer = {
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: 'The level of configured provisioned throughput for the table was exceeded.',
  },
};

/** DynamoDB's response to a write whose condition does not hold, for example because another writer was faster. */
export const conditionFailed: AwsAnswer = {
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    message: 'The conditional request failed',
  },
};

/** A service's response to a call that fails because of an error inside the service. */
export const serverError: AwsAnswer = { status: 500, body: { __type: 'InternalServerError', message: 'injected' } };

export interface InterceptorProxy {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Returns the calling environment's id and the called service, both from the request's signature:
 * `Credential=<id>/<date>/<region>/<service>/aws4_request`.
 */
const callerOf = (headers: IncomingHttpHeaders): { environmentId: string; service: string } => {
  const [, environmentId = '', service = ''] =
    /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  return { environmentId, service };
};

/**
 * Starts one endpoint that passes every call between functions and engines to the interceptor. Only tests use it;
 * without an interceptor functions call the engines directly.
 */
export const startInterceptorProxy = async (
  endpoints: Readonly<Record<string, string>>,
  interceptor: Interceptor,
  kill: (environmentId: string) => Promise<void>,
): Promise<InterceptorProxy> => {
  const agent = new Agent({ keepAlive: true });

  const forward = async (service: string, headers: IncomingHttpHeaders, body: Buffer): Promise<AwsAnswer> => {
    const endpoint = endpoints[service];
    if (!endpoint) throw new Error(`there is no engine for ${service}`);
    const { promise, resolve, reject } = Promise.withResolvers<AwsAnswer>();
    const outgoing = httpRequest(endpoint, { method: 'POST', agent, headers }, async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      resolve({ status: incoming.statusCode ?? 500, body: text === '' ? {} : JSON.parse(text) });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
    return promise;
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { environmentId, service } = callerOf(request.headers);
    const call: AwsCall = {
      functionName: environmentId.replace(/\.\d+$/, ''),
      service,
      operation: String(request.headers['x-amz-target']).replace(/^.*\./, ''),
      input: JSON.parse(body.toString()) as Record<string, unknown>,
      kill: () => kill(environmentId),
    };
    try {
      const answer = await interceptor(call, () => forward(service, request.headers, body));
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer.body));
    } catch {
      // Closes the connection without a response when the interceptor throws.
      response.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
};

import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call of a function to an engine, on its way. */
export interface AwsCall {
  readonly functionName: string;
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Ends the calling environment at once, in the middle of its invocation. */
  kill(): Promise<void>;
}

export interface AwsAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Stands between functions and engines in tests: may kill, delay, forward or answer in the engine's place. */
export type Interceptor = (call: AwsCall, forward: () => Promise<AwsAnswer>) => Promise<AwsAnswer>;

/** The answer of a table that has no capacity left. */
export const throttled: AwsAnswer = {
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: 'The level of configured provisioned throughput for the table was exceeded.',
  },
};

/** The answer to a write whose condition does not hold: somebody else was quicker. */
export const conditionFailed: AwsAnswer = {
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    message: 'The conditional request failed',
  },
};

/** The answer of a service that is in trouble itself. */
export const serverError: AwsAnswer = { status: 500, body: { __type: 'InternalServerError', message: 'injected' } };

export interface InterceptorProxy {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** The environment's own access key id tells who calls: `Credential=<id>/<date>/<region>/<service>/aws4_request`. */
const callerOf = (headers: IncomingHttpHeaders): { environmentId: string; service: string } => {
  const [, environmentId = '', service = ''] =
    /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  return { environmentId, service };
};

/** One endpoint in front of all engines. Only tests have it: without an interceptor functions talk to the engines themselves. */
export const startInterceptorProxy = async (
  endpoints: Readonly<Record<string, string>>,
  interceptor: Interceptor,
  kill: (environmentId: string) => Promise<void>,
): Promise<InterceptorProxy> => {
  const agent = new Agent({ keepAlive: true });

  const forward = async (service: string, headers: IncomingHttpHeaders, body: Buffer): Promise<AwsAnswer> => {
    const endpoint = endpoints[service];
    if (!endpoint) throw new Error(`no engine stands for ${service}`);
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
      // As if the connection broke: the function sees no answer.
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

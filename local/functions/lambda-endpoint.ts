import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { MappedSource } from './event-source.ts';
import type { FunctionPool } from './function-pool.ts';

export interface LambdaEndpoint {
  readonly endpoint: string;
  stop(): Promise<void>;
}

class LambdaRefusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const PATH = /^\/2015-03-31\/(functions|event-source-mappings)\/([^/]+)(\/invocations)?\/?$/;

/**
 * Starts an endpoint on loopback with the operations of Lambda that an operator uses: invoke a function; show, disable and
 * enable an event source mapping. https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
 */
export const startLambdaEndpoint = async (
  invoke: FunctionPool['invoke'],
  mappings: ReadonlyMap<string, MappedSource>,
): Promise<LambdaEndpoint> => {
  const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  const invokeFunction = async (name: string, event: unknown, response: ServerResponse): Promise<void> => {
    const result = await invoke(name, event).catch((error: Error) => {
      throw new LambdaRefusal(404, 'ResourceNotFoundException', error.message);
    });
    if (result.ok) return sendJson(response, 200, result.payload ?? null);
    response.setHeader('x-amz-function-error', 'Unhandled');
    return sendJson(response, 200, { errorType: result.error.type, errorMessage: result.error.message });
  };

  const changeMapping = async (id: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const source = mappings.get(id);
    if (!source) throw new LambdaRefusal(404, 'ResourceNotFoundException', `There is no mapping ${id}.`);
    if (request.method === 'PUT') {
      const { Enabled } = (await json(request)) as { Enabled?: unknown };
      if (typeof Enabled !== 'boolean') {
        throw new LambdaRefusal(400, 'InvalidParameterValueException', 'Only Enabled can be changed here.');
      }
      if (Enabled) source.enable();
      else source.disable();
    }
    sendJson(response, request.method === 'PUT' ? 202 : 200, {
      UUID: id,
      State: source.isEnabled ? 'Enabled' : 'Disabled',
    });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, kind, id = '', isInvocation] = PATH.exec(request.url ?? '') ?? [];
    const name = decodeURIComponent(id);
    if (kind === 'functions' && isInvocation && request.method === 'POST') {
      return invokeFunction(name, await json(request), response);
    }
    if (kind === 'event-source-mappings' && ['GET', 'PUT'].includes(request.method ?? '')) {
      return changeMapping(name, request, response);
    }
    throw new LambdaRefusal(404, 'UnknownOperationException', 'The local stack does not know this call.');
  };

  const server = createServer(async (request, response) => {
    try {
      await serve(request, response);
    } catch (error) {
      const { status, code } = error instanceof LambdaRefusal ? error : { status: 500, code: 'ServiceException' };
      response.setHeader('x-amzn-errortype', code);
      sendJson(response, status, { Type: 'User', Message: (error as Error).message });
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
};

import http, { type ClientRequest } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

// AWS documents several assignments of a PartiQL UPDATE as several SET clauses, and the engine on this machine accepts
// them only as one list with commas. Importing this file changes such statements on their way to the engine. Function
// threads run this file too, so it imports only built-in modules and exports nothing.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html

const TARGET = 'DynamoDB_20120810.BatchExecuteStatement';

const withCommas = (body: string): string => {
  const { Statements, ...rest } = JSON.parse(body) as { Statements: { Statement: string }[] };
  const changed = Statements.map((item) => ({
    ...item,
    Statement: item.Statement.startsWith('UPDATE ') ? item.Statement.replaceAll('=? SET ', '=?, ') : item.Statement,
  }));
  return JSON.stringify({ ...rest, Statements: changed });
};

const sendRequest = http.request;
http.request = ((...args: Parameters<typeof http.request>): ClientRequest => {
  const request = sendRequest(...args);
  if (request.getHeader('x-amz-target') !== TARGET) return request;
  const { end } = request;
  request.end = ((body: string | Uint8Array, ...rest: []) => {
    const text = withCommas(Buffer.from(body).toString());
    request.setHeader('content-length', Buffer.byteLength(text));
    return (end as (text: string, ...rest: unknown[]) => ClientRequest).call(request, text, ...rest);
  }) as typeof request.end;
  return request;
}) as typeof http.request;
syncBuiltinESMExports();

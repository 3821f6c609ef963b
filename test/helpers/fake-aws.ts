import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';

/** What STS, Systems Manager and Lambda answer about an account, over HTTP on loopback. */
export interface FakeAccount {
  /** An error's code in place of an identity. */
  readonly identityError?: string;
  /** The CDK's bootstrap version; `null` where it was never bootstrapped, an error's code where it may not be read. */
  readonly bootstrap: number | string | null;
  readonly unreservedConcurrency: number | string;
}

export const startFakeAws = async (account: FakeAccount) => {
  const asked: string[] = [];
  const server = await serveOnLoopback(async (request, response): Promise<unknown> => {
    const body = await text(request);
    const target = request.headers['x-amz-target'];
    const json = (status: number, answer: object, type?: string) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...(type ? { 'x-amzn-errortype': type } : {}) })
        .end(JSON.stringify(answer));
    if (request.url?.startsWith('/2016-08-19/account-settings')) {
      asked.push('lambda:GetAccountSettings');
      const { unreservedConcurrency: count } = account;
      if (typeof count === 'string') return json(403, { Message: 'no' }, count);
      return json(200, { AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: count } });
    }
    if (target === 'AmazonSSM.GetParameter') {
      asked.push(`ssm:GetParameter ${JSON.parse(body).Name}`);
      const { bootstrap } = account;
      if (bootstrap === null) return json(400, { __type: 'ParameterNotFound' });
      if (typeof bootstrap === 'string') return json(400, { __type: bootstrap });
      return json(200, { Parameter: { Name: JSON.parse(body).Name, Value: String(bootstrap) } });
    }
    asked.push(`sts:${new URLSearchParams(body).get('Action')}`);
    const error = account.identityError;
    response.writeHead(error ? 403 : 200, { 'content-type': 'text/xml' });
    return response.end(
      error
        ? `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>no</Message></Error></ErrorResponse>`
        : '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    );
  });
  return { url: server.url, asked: asked as readonly string[], stop: server.stop };
};

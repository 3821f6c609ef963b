import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';
import type { StackResource } from '../../ops/resources.ts';

const member = ({ logicalId, type, physicalId }: StackResource): string =>
  `<member><LogicalResourceId>${logicalId}</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${physicalId}</PhysicalResourceId></member>`;

const PAGE = 50;

/** Serves CloudFormation's ListStackResources for one stack, in pages, over HTTP on loopback. */
export const startFakeCloudFormation = async (stackName: string, resources: readonly StackResource[]) => {
  const server = await serveOnLoopback(async (request, response) => {
    const parameters = new URLSearchParams(await text(request));
    response.setHeader('content-type', 'text/xml');
    if (parameters.get('Action') !== 'ListStackResources' || parameters.get('StackName') !== stackName) {
      const message = `Stack with id ${parameters.get('StackName')} does not exist`;
      response
        .writeHead(400)
        .end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`,
        );
      return;
    }
    const from = Number(parameters.get('NextToken') ?? 0);
    const next = from + PAGE < resources.length ? `<NextToken>${from + PAGE}</NextToken>` : '';
    const members = resources
      .slice(from, from + PAGE)
      .map(member)
      .join('');
    response.end(
      `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${members}</StackResourceSummaries>${next}</ListStackResourcesResult></ListStackResourcesResponse>`,
    );
  });
  return { url: server.url, stop: server.stop };
};

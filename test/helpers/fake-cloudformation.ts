import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';
import type { StackResource } from '../../ops/resources.ts';

const member = ({ logicalId, type, physicalId }: StackResource): string =>
  `<member><LogicalResourceId>${logicalId}</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${physicalId}</PhysicalResourceId></member>`;

const PAGE = 50;

/** CloudFormation's list of one stack's resources, page by page, over HTTP on loopback. */
export const startFakeCloudFormation = async (stackName: string, resources: readonly StackResource[]) => {
  const server = await serveOnLoopback(async (request, response) => {
    const asked = new URLSearchParams(await text(request));
    response.setHeader('content-type', 'text/xml');
    if (asked.get('Action') !== 'ListStackResources' || asked.get('StackName') !== stackName) {
      const message = `Stack with id ${asked.get('StackName')} does not exist`;
      response
        .writeHead(400)
        .end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`,
        );
      return;
    }
    const from = Number(asked.get('NextToken') ?? 0);
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

import { QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Delivery } from './delivery.ts';

const attempts = ["name = 'delivery.attempted'", 'ispresent(attempt)'];

/**
 * A field that is 1 for an attempt that failed and 0 for one that was delivered. CloudWatch documents aggregates over
 * numeric fields only, not over comparisons, and `strcontains` returns a number.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
 */
const isFailing = "1 - strcontains(outcome, 'delivered') as is_failing";

const by = (field: string): QueryString =>
  new QueryString({
    fields: ['@timestamp', isFailing],
    filterStatements: attempts,
    statsStatements: [`sum(is_failing) as failing, count(*) as attempts, max(duration_ms) as slowest_ms by ${field}`],
    sort: 'failing desc',
    limit: 20,
  });

/** The log queries that find the cause of a problem, by the name under which they are saved. */
export const logQueries = {
  'failing webhooks': by('webhook_id, profile'),
  'failing accounts': by('owner'),
  'why they fail': new QueryString({
    fields: ['@timestamp'],
    filterStatements: [...attempts, "outcome != 'delivered'"],
    statsStatements: ['count(*) as attempts by error, http_status, profile'],
    sort: 'attempts desc',
    limit: 20,
  }),
  'what we failed at': new QueryString({
    fields: ['@timestamp', 'delivery_id', 'webhook_id', 'request_id', 'cause.kind', 'cause.message'],
    filterStatements: ["level = 'error'"],
    sort: '@timestamp desc',
    limit: 100,
  }),
} as const satisfies Readonly<Record<string, QueryString>>;

/** Returns the name under which Logs Insights lists a saved query. */
export const savedQueryName = (scope: Construct, name: string): string => `${Stack.of(scope).stackName}/${name}`;

/** Saves the log queries in Logs Insights. Queries group by webhook and account, which metrics do not. */
export const saveLogQueries = (scope: Construct, { deliver }: Delivery): void => {
  for (const [name, queryString] of Object.entries(logQueries)) {
    new QueryDefinition(scope, `query-${name.replaceAll(' ', '-')}`, {
      queryDefinitionName: savedQueryName(scope, name),
      queryString,
      logGroups: [deliver.logGroup],
    });
  }
};

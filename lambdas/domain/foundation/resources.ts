// The stack reads this file to create paths and permissions, and the functions read it too. The file therefore imports
// nothing.

interface Resource {
  /** The word for one item of the resource in error messages: `No such task.` */
  readonly noun: string;
  /** The first three letters of each item's id. Absent if the caller chooses the ids or names. */
  readonly idPrefix?: string;
  /** Scopes that exist for this resource. Empty if its calls use the scopes of another resource, or `admin`. */
  readonly scopes: readonly string[];
  /** The function that answers the calls: `lambdas/functions/<api>.ts`. */
  readonly api: string;
  /** Paths below `/api/public/v1` that lead to the function. */
  readonly paths: readonly string[];
  /** Names of the methods of `Storage` (`lib/storage.ts`) that give the function access to the tables. */
  readonly grants: readonly string[];
  /**
   * The first letter of the row keys (`lambdas/adapters/rows/table-keys.ts`), for a resource whose items have a
   * partition each.
   */
  readonly rows?: string;
}

/** Returns a path and the pattern of every path below it. */
const pathAndBelow = (path: string): readonly string[] => [path, `${path}/{proxy+}`];

/** Every resource of the native API. A new resource is one entry here; CONTRIBUTING.md lists the other files. */
export const resources = {
  tasks: {
    noun: 'task',
    idPrefix: 'tsk',
    scopes: ['tasks:read', 'tasks:write'],
    api: 'tasks-api',
    paths: pathAndBelow('/tasks'),
    grants: ['grantTasks'],
    rows: 'T',
  },
  webhooks: {
    noun: 'webhook',
    idPrefix: 'whk',
    scopes: ['webhooks:read', 'webhooks:write'],
    api: 'webhooks-api',
    paths: pathAndBelow('/webhooks'),
    grants: ['grantWebhooks', 'grantFirstAnswers'],
  },
  signingKeys: {
    noun: 'signing key',
    scopes: [],
    api: 'webhooks-api',
    paths: pathAndBelow('/signing-keys'),
    grants: ['grantSigningKeys'],
  },
  deliveries: {
    noun: 'delivery',
    idPrefix: 'dlv',
    scopes: [],
    api: 'deliveries-api',
    paths: [
      ...pathAndBelow('/deliveries'),
      '/webhooks/{id}/deliveries',
      '/webhooks/{id}/test',
      '/webhooks/{id}/recover',
      '/webhooks/{id}/stats',
    ],
    grants: ['grantDeliveryHistory', 'grantHours'],
  },
  events: {
    noun: 'event',
    idPrefix: 'evt',
    scopes: ['events:read', 'events:write'],
    api: 'events-api',
    paths: pathAndBelow('/events'),
    grants: ['grantEvents'],
  },
  jobs: {
    noun: 'job',
    idPrefix: 'job',
    scopes: ['jobs:read', 'jobs:write'],
    api: 'jobs-api',
    paths: pathAndBelow('/jobs'),
    grants: ['grantJobs'],
    rows: 'J',
  },
  keys: {
    noun: 'key',
    idPrefix: 'key',
    scopes: ['keys:read', 'keys:write'],
    api: 'keys-api',
    paths: pathAndBelow('/keys'),
    grants: ['grantKeys'],
  },
  accounts: {
    noun: 'account',
    idPrefix: 'acc',
    scopes: [],
    api: 'accounts-api',
    paths: pathAndBelow('/accounts'),
    grants: ['grantAccounts'],
  },
  operators: {
    noun: 'operator',
    idPrefix: 'opr',
    scopes: [],
    api: 'accounts-api',
    paths: pathAndBelow('/operators'),
    grants: ['grantOperators'],
  },
  audit: {
    noun: 'audit entry',
    idPrefix: 'aud',
    scopes: ['audit:read'],
    api: 'audit-api',
    paths: pathAndBelow('/audit'),
    grants: ['grantAudit'],
  },
  eventTypes: {
    noun: 'event type',
    scopes: [],
    api: 'catalogue-api',
    paths: pathAndBelow('/event-types'),
    grants: ['grantCatalogue'],
  },
  profiles: { noun: 'profile', scopes: [], api: 'catalogue-api', paths: pathAndBelow('/profiles'), grants: [] },
  templates: { noun: 'template', scopes: [], api: 'catalogue-api', paths: pathAndBelow('/templates'), grants: [] },
} as const satisfies Readonly<Record<string, Resource>>;

type Resources = typeof resources;
type Row = Resources[keyof Resources];

export type ResourceIdPrefix = Extract<Row, { readonly idPrefix: string }>['idPrefix'];
export type ResourceScope = Row['scopes'][number];
export type ResourceApi = Row['api'];
/** The names of the resources whose items have a partition each. */
export type PartitionedResource = {
  [Name in keyof Resources]: Resources[Name] extends { readonly rows: string } ? Name : never;
}[keyof Resources];

/** The word for one item of a resource by the prefix of its ids: `tsk` gives `task`. */
export const nounByIdPrefix = Object.fromEntries(
  Object.values(resources).flatMap((resource) => ('idPrefix' in resource ? [[resource.idPrefix, resource.noun]] : [])),
) as Readonly<Record<ResourceIdPrefix, string>>;

import * as z from 'zod';
import {
  type Account,
  accountSchema,
  ceilingSchema,
  deliveriesPerMinuteSchema,
  rateLimitSchema,
  retentionDaysSchema,
  taskRetentionDaysSchema,
} from '../domain/accounts/account.ts';
import { nameSchema } from '../domain/accounts/api-key.ts';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/accounts';
const tag = 'accounts';

const account: Account = {
  id: 'acc_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  name: 'Example Ltd',
  rate_limit_per_minute: 120,
  requests_per_minute: 1200,
  deliveries_per_minute: 6000,
  retention_days: 30,
  task_retention_days: null,
  created_at: '2026-11-16T09:30:00.000Z',
};

export const createAccount = {
  id: 'createAccount',
  method: 'POST',
  path,
  tag,
  summary: 'Create an account with its first key',
  description: 'For the operator only. The first key has every scope except `admin`.',
  scope: 'admin',
  body: z.strictObject({
    name: nameSchema,
    rate_limit_per_minute: rateLimitSchema.default(120),
    requests_per_minute: ceilingSchema.optional(),
    deliveries_per_minute: deliveriesPerMinuteSchema.optional(),
    retention_days: retentionDaysSchema.optional(),
    task_retention_days: taskRetentionDaysSchema.optional(),
  }),
  isIdempotent: true,
  responses: {
    201: accountSchema
      .extend({
        key: z
          .string()
          .optional()
          .meta({ description: 'The first key. It is shown in this answer only; a repeated answer omits it.' }),
      })
      .meta({ id: 'NewAccount' }),
  },
  errors: [409],
  example: { name: 'Example Ltd', rate_limit_per_minute: 120 },
  exampleAnswer: { ...account, key: 'pp_live_4fQzExampleExampleExampleExample4ZJrrx' },
} as const satisfies Operation;

export const listAccounts = {
  id: 'listAccounts',
  method: 'GET',
  path,
  tag,
  summary: 'List accounts, newest first',
  scope: 'admin',
  query: z.strictObject(pageQuery('acc')),
  responses: { 200: pageSchema(accountSchema) },
  exampleAnswer: { data: [account], next_cursor: null },
} as const satisfies Operation;

export const getAccount = {
  id: 'getAccount',
  method: 'GET',
  path: `${path}/{id}`,
  idPrefix: 'acc',
  tag,
  summary: 'Read an account',
  scope: 'admin',
  responses: { 200: accountSchema },
  exampleAnswer: account,
} as const satisfies Operation;

export const updateAccount = {
  id: 'updateAccount',
  method: 'PATCH',
  path: `${path}/{id}`,
  idPrefix: 'acc',
  tag,
  summary: 'Change an account',
  description:
    'A changed limit, of each key or of all keys together, applies within five seconds, also in the running minute. A changed `deliveries_per_minute` applies to the next attempts; a delivery that waits already keeps its time, and later deliveries wait behind it. A changed retention applies to events that are published later, and a changed `task_retention_days` to tasks that are settled later.',
  scope: 'admin',
  body: z.strictObject({
    name: nameSchema.optional(),
    rate_limit_per_minute: rateLimitSchema.optional(),
    requests_per_minute: ceilingSchema.optional(),
    deliveries_per_minute: deliveriesPerMinuteSchema.optional(),
    retention_days: retentionDaysSchema.optional(),
    task_retention_days: taskRetentionDaysSchema.optional(),
  }),
  responses: { 200: accountSchema },
  example: { rate_limit_per_minute: 600 },
  exampleAnswer: { ...account, rate_limit_per_minute: 600, requests_per_minute: 6000 },
} as const satisfies Operation;

export const deleteAccount = {
  id: 'deleteAccount',
  method: 'DELETE',
  path: `${path}/{id}`,
  idPrefix: 'acc',
  tag,
  summary: 'Delete an account',
  description: [
    'The account and its API keys of both modes are gone for good: every request with one of these keys is refused from then on.',
    'While the account still has webhooks, event types, templates, unfinished jobs or tasks of either mode, nothing is changed. The answer is then 409, and `errors` names each kind (for example `live.webhooks`) and says how to remove it. A task whose personal data is erased does not count.',
    "Events, deliveries and the audit do not prevent the deletion: they stay until they expire. Data that the account's own keys create during the deletion may be lost.",
    'If no answer arrives, repeat the call. The repeat continues where the first call stopped, and answers 404 if the first call had finished.',
  ].join(' '),
  scope: 'admin',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;

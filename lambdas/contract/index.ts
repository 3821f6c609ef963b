import type { Operation } from '../runtime/operation.ts';
import { createAccount, deleteAccount, getAccount, listAccounts, updateAccount } from './accounts.ts';
import { listAudit } from './audit.ts';
import { listProfiles } from './catalogue.ts';
import { getDelivery, listDeliveries, recoverDeliveries, retryDelivery, testWebhook } from './deliveries.ts';
import { getHealth, getOpenApi } from './docs.ts';
import { deleteEventType, listEventTypes, putEventType } from './event-types.ts';
import { deletePayload, getEvent, listEvents, publishEvents, replayEvent } from './events.ts';
import { completeJob, createJob, deleteJob, getJob, listJobs } from './jobs.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './keys.ts';
import { createOperator, deleteOperator, listOperators, rotateOperatorKey } from './operators.ts';
import { getAccountKeys, getInpostKeys, getPublicKeys, listSigningKeys, rotateSigningKeys } from './public-keys.ts';
import { getWebhookStats } from './stats.ts';
import {
  acceptTask,
  cancelTask,
  completeTask,
  createTask,
  deliverTask,
  erasePersonalData,
  getTask,
  listTasks,
  pickUpTask,
} from './tasks.ts';
import { deleteTemplate, getTemplate, listTemplates, putTemplate } from './templates.ts';
import { changeWebhook, createWebhook, deleteWebhook, getWebhook, listWebhooks, rotateSecret } from './webhooks.ts';

/**
 * Every call of the native API, in the order in which the reference shows them. test/contract/operations.test.ts fails
 * when a call is missing.
 */
export const operations: readonly Operation[] = [
  createTask,
  listTasks,
  getTask,
  acceptTask,
  pickUpTask,
  deliverTask,
  completeTask,
  cancelTask,
  erasePersonalData,
  createWebhook,
  listWebhooks,
  getWebhook,
  changeWebhook,
  deleteWebhook,
  rotateSecret,
  testWebhook,
  recoverDeliveries,
  getWebhookStats,
  listDeliveries,
  getDelivery,
  retryDelivery,
  publishEvents,
  listEvents,
  getEvent,
  replayEvent,
  deletePayload,
  listEventTypes,
  putEventType,
  deleteEventType,
  listProfiles,
  putTemplate,
  listTemplates,
  getTemplate,
  deleteTemplate,
  createJob,
  completeJob,
  listJobs,
  getJob,
  deleteJob,
  createKey,
  listKeys,
  rotateKey,
  revokeKey,
  createAccount,
  listAccounts,
  getAccount,
  updateAccount,
  deleteAccount,
  createOperator,
  listOperators,
  rotateOperatorKey,
  deleteOperator,
  listAudit,
  listSigningKeys,
  rotateSigningKeys,
  getAccountKeys,
  getInpostKeys,
  getPublicKeys,
  getOpenApi,
  getHealth,
];

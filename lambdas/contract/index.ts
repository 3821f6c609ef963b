import type { Operation } from '../runtime/operation.ts';
import { createAccount, getAccount, listAccounts, updateAccount } from './accounts.ts';
import { listEventTypes, listProfiles } from './catalogue.ts';
import { getDelivery, listDeliveries } from './deliveries.ts';
import { getHealth, getOpenApi } from './docs.ts';
import { getEvent, listEvents, publishEvents } from './events.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './keys.ts';
import { getPublicKeys } from './public-keys.ts';
import {
  acceptTask,
  cancelTask,
  completeTask,
  createTask,
  deliverTask,
  getTask,
  listTasks,
  pickUpTask,
} from './tasks.ts';
import { deleteTemplate, getTemplate, listTemplates, putTemplate } from './templates.ts';
import { changeWebhook, createWebhook, deleteWebhook, getWebhook, listWebhooks } from './webhooks.ts';

/** Every call of the API, in the order in which the reference shows them. */
export const operations: readonly Operation[] = [
  createTask,
  listTasks,
  getTask,
  acceptTask,
  pickUpTask,
  deliverTask,
  completeTask,
  cancelTask,
  createWebhook,
  listWebhooks,
  getWebhook,
  changeWebhook,
  deleteWebhook,
  listDeliveries,
  getDelivery,
  publishEvents,
  listEvents,
  getEvent,
  listEventTypes,
  listProfiles,
  putTemplate,
  listTemplates,
  getTemplate,
  deleteTemplate,
  createKey,
  listKeys,
  rotateKey,
  revokeKey,
  createAccount,
  listAccounts,
  getAccount,
  updateAccount,
  getPublicKeys,
  getOpenApi,
  getHealth,
];

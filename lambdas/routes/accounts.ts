import * as operations from '../contract/accounts.ts';
import { type StoredAccount, showAccount } from '../domain/accounts/account.ts';
import { type ChangingAccounts, changeAccount } from '../domain/accounts/change-account.ts';
import { createAccount, type NewAccounts } from '../domain/accounts/create-account.ts';
import { type DeletingAccounts, deleteAccount } from '../domain/accounts/delete-account.ts';
import { notFound } from '../domain/foundation/errors.ts';
import { type Page, pageToBody } from '../domain/foundation/page.ts';
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

export interface Accounts extends NewAccounts, ChangingAccounts, DeletingAccounts {
  list(limit: number, after: string | undefined): Promise<Page<StoredAccount>>;
}

/** Returns the routes of the operator's calls about accounts. */
export const accountRoutes = (accounts: Accounts, stackRetentionDays: number): Route[] => {
  const show = (account: StoredAccount) => showAccount(account, stackRetentionDays);
  return [
    route(operations.createAccount, async (request) => {
      const { answer, secret } = await createAccount(request, request.body, accounts, stackRetentionDays);
      const location = `${operations.createAccount.path}/${answer.id}`;
      const body = secret === null ? show(answer) : { ...show(answer), key: secret };
      return { status: 201, body, headers: { location, ...replayHeaders(secret === null) } };
    }),

    route(operations.listAccounts, async ({ query, cursorScope }) => {
      const page = await accounts.list(query.limit, query.cursor?.id);
      return { status: 200, body: pageToBody(page, show, cursorScope) };
    }),

    route(operations.getAccount, async ({ id }) => {
      const account = await accounts.find(id);
      if (!account) throw notFound('account');
      return { status: 200, body: show(account) };
    }),

    route(operations.updateAccount, async ({ id, body: change, by, nowMs }) => ({
      status: 200,
      body: show(await changeAccount({ id, change, by, nowMs }, accounts, stackRetentionDays)),
    })),

    route(operations.deleteAccount, async ({ id, by, nowMs }) => {
      await deleteAccount({ id, by, nowMs }, accounts);
      return { status: 204 };
    }),
  ];
};

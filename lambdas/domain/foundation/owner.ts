export const modes = ['live', 'test'] as const;
export type Mode = (typeof modes)[number];
export const isMode = (text: string): text is Mode => modes.some((mode) => mode === text);

/** The owner of data: an account in one mode. An account's live and test data are separate. */
export interface Owner {
  readonly accountId: string;
  readonly mode: Mode;
}

/** Returns the owner as one string, `acc_…#live`, as rows and messages hold it. */
export const ownerKey = (owner: Owner): string => `${owner.accountId}#${owner.mode}`;

/** Returns the account id of an owner in the form `acc_…#live`. */
export const accountOf = (owner: string): string => owner.split('#')[0] ?? '';

export const modes = ['live', 'test'] as const;
export type Mode = (typeof modes)[number];

/** Whose something is: an account's live and test data are apart. */
export interface Owner {
  readonly accountId: string;
  readonly mode: Mode;
}

/** The owner as one word, as it stands in keys and messages. */
export const ownerKey = (owner: Owner): string => `${owner.accountId}#${owner.mode}`;

import { buildApp } from 'fauxqs';

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>;
export type SqsStore = Stores['sqsStore'];
export type SqsQueue = ReturnType<SqsStore['createQueue']>;
export type SqsMessage = SqsQueue['messages'][number];
export type SqsServer = ReturnType<typeof buildApp>;

/**
 * The queues themselves, beside the server over them. The package exports only the server (`startFauxqs`, which listens on
 * every interface); holding its store saves an HTTP call per receive and delete, and the version is pinned exactly.
 */
export const createFauxqs = async (): Promise<{ store: SqsStore; server: SqsServer }> => {
  const inside = new URL('./sqs/sqsStore.js', import.meta.resolve('fauxqs'));
  const { SqsStore } = (await import(inside.href)) as { SqsStore: new () => SqsStore };
  const store = new SqsStore();
  const server = buildApp({ logger: false, stores: { sqsStore: store } as Stores });
  return { store, server };
};

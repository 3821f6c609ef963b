import { buildApp } from 'fauxqs';

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>;
export type SqsStore = Stores['sqsStore'];
export type SqsQueue = ReturnType<SqsStore['createQueue']>;
export type SqsMessage = SqsQueue['messages'][number];
export type SqsServer = ReturnType<typeof buildApp>;

/**
 * Creates the queue store of fauxqs and an HTTP server for it. `startFauxqs` is not used because it listens on every
 * interface. Access to the store saves one HTTP call per receive and delete. The store's module is internal to fauxqs,
 * so the version is pinned.
 */
export const createFauxqs = async (): Promise<{ store: SqsStore; server: SqsServer }> => {
  const storeModule = new URL('./sqs/sqsStore.js', import.meta.resolve('fauxqs'));
  const { SqsStore } = (await import(storeModule.href)) as { SqsStore: new () => SqsStore };
  const store = new SqsStore();
  const server = buildApp({ logger: false, stores: { sqsStore: store } as Stores });
  return { store, server };
};

import { type Profiler, Session } from 'node:inspector/promises';

/** A CPU profile of one environment. */
export interface ThreadProfile {
  readonly functionName: string;
  readonly profile: Profiler.Profile;
}

interface Attached {
  readonly params: { readonly sessionId: string; readonly workerInfo: { readonly title: string } };
}
interface Received {
  readonly params: { readonly sessionId: string; readonly message: string };
}
type Reply = { readonly id: number; readonly result: { readonly profile?: Profiler.Profile } };

/**
 * Starts to profile every function thread of this process, also threads that start later. Returns a function that stops
 * and returns the profiles. A thread that ended before has none.
 */
export const profileThreads = async (): Promise<() => Promise<readonly ThreadProfile[]>> => {
  const session = new Session();
  session.connect();
  const titles = new Map<string, string>();
  const replies = new Map<string, (reply: Reply) => void>();
  let lastId = 0;

  const send = (sessionId: string, method: string): Promise<Reply> => {
    const id = ++lastId;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    replies.set(`${sessionId} ${id}`, resolve);
    const message = JSON.stringify({ id, method });
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message }).catch(() => undefined);
    return promise;
  };
  session.on('NodeWorker.attachedToWorker', ({ params }: Attached) => {
    titles.set(params.sessionId, params.workerInfo.title.replace(/^\[worker \d+\] /, ''));
    void send(params.sessionId, 'Profiler.enable');
    void send(params.sessionId, 'Profiler.start');
  });
  session.on('NodeWorker.detachedFromWorker', ({ params }: { params: { sessionId: string } }) => {
    titles.delete(params.sessionId);
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }: Received) => {
    const reply = JSON.parse(params.message) as Reply;
    replies.get(`${params.sessionId} ${reply.id}`)?.(reply);
  });
  await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });

  return async () => {
    const profiles = await Promise.all(
      [...titles].map(async ([sessionId, functionName]): Promise<ThreadProfile[]> => {
        const { result } = await send(sessionId, 'Profiler.stop');
        return result.profile ? [{ functionName, profile: result.profile }] : [];
      }),
    );
    session.disconnect();
    return profiles.flat();
  };
};

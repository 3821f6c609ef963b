// The publisher runs in its own process, so that its CPU time is not measured with the stack's. The message of a
// `PublishJob` makes it publish; it answers with the milliseconds that each call took.

export interface PublishJob {
  readonly url: string;
  readonly key: string;
  /** Number of events. */
  readonly count: number;
  /** Number of calls at a time. */
  readonly clients: number;
  /** Number of events in one call. */
  readonly perCall: number;
  readonly event: object;
}

const publish = async ({ url, key, count, clients, perCall, event }: PublishJob): Promise<number[]> => {
  const body = JSON.stringify(perCall === 1 ? event : { events: Array.from({ length: perCall }, () => event) });
  const durations: number[] = [];
  let left = Math.ceil(count / perCall);
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const startMs = performance.now();
      const response = await fetch(`${url}/api/public/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body,
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`POST /events answered ${response.status}: ${text}`);
      durations.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return durations;
};

process.on('message', async (job: PublishJob) => {
  process.send?.(await publish(job));
});
process.on('disconnect', () => process.exit(0));

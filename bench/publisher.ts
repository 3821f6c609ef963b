// The publisher runs in its own process, so that its CPU time is not measured with the stack's. The message
// `{ url, key, count, clients, event }` makes it publish `count` single events from `clients` clients at a time; it
// answers with the milliseconds that each call took.

export interface PublishJob {
  readonly url: string;
  readonly key: string;
  readonly count: number;
  readonly clients: number;
  readonly event: object;
}

const publish = async ({ url, key, count, clients, event }: PublishJob): Promise<number[]> => {
  const body = JSON.stringify(event);
  const durations: number[] = [];
  let left = count;
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

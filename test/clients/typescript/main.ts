import createClient from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

// A program as a customer writes it with the client that openapi-typescript generates. It must compile in strict mode,
// and leaves out every member that has a default.

const [baseUrl = '', key = ''] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

const expectEqual = (name: string, actual: unknown, expected: unknown): void => {
  if (actual !== expected)
    throw new Error(`${name} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}.`);
};

/** Returns the answer's body, or throws the problem with its fields. */
const bodyOf = <T>({ data, error }: { data?: T; error?: components['schemas']['Problem'] | undefined }): T => {
  if (data !== undefined) return data;
  throw new Error(`${error?.title}: ${error?.errors?.map(({ path, message }) => `${path} ${message}`).join(', ')}`);
};

const pickup = { city: 'Oslo', address: 'Karl Johans gate 31' };
const dropoff = { city: 'Bergen', address: 'Bryggen 5' };

const task = bodyOf(
  await api.POST('/api/public/v1/tasks', {
    body: { item: 'Passport', pickup, dropoff },
    params: { header: { 'Idempotency-Key': 'client-1' } },
  }),
);
expectEqual('the size of a task without a size', task.size, null);
const listed = bodyOf(await api.GET('/api/public/v1/tasks', { params: { query: { limit: 1 } } }));
expectEqual('the id of the first task of the list', listed.data[0]?.id, task.id);

const webhook = bodyOf(
  await api.POST('/api/public/v1/webhooks', {
    body: { url: 'https://example.com/hook', events: ['*'], headers: { 'x-api-key': 'k' } },
  }),
);
// The headers of an answer are a map from names to `***`.
const shown: string | undefined = webhook.headers['x-api-key'];
expectEqual('the header value that a webhook shows', shown, '***');

const published = bodyOf(
  await api.POST('/api/public/v1/events', { body: { type: 'task.accepted', data: { place: 'lobby' } } }),
);
if (!('id' in published)) throw new Error('The answer to one event is a batch.');
const event = bodyOf(await api.GET('/api/public/v1/events/{id}', { params: { path: { id: published.id } } }));
// The data of an event is a map from names to unknown values.
const place: unknown = event.data?.place;
expectEqual('the data of the event', place, 'lobby');

const { response, error } = await api.POST('/api/public/v1/tasks', {
  body: { item: '', pickup, dropoff },
});
expectEqual('the status for a task with an empty item', response.status, 422);
expectEqual('the field that the problem names', error?.errors?.[0]?.path, 'item');

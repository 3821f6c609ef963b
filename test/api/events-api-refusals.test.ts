import { describe, expect, it } from 'vitest';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import type { Json } from '../helpers/api-call.ts';
import { useEventsApi } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';

const minimalEvent = { type: 'task.accepted', data: {} };

describe('POST /events with an invalid body', () => {
  const { publish, rows, eventRows } = useEventsApi(useTables());

  const meta = { code: 200, message: 'OK' };
  const cases: [string, unknown, string[]][] = [
    ['the body null', null, ['']],
    ['an event without data', { type: 'task.accepted' }, ['data']],
    ['an event without type', { data: {} }, ['type']],
    ['an unknown type', { ...minimalEvent, type: 'nope' }, ['type']],
    ['a type that is a number', { ...minimalEvent, type: 1 }, ['type']],
    ['data that is a list', { ...minimalEvent, data: [] }, ['data']],
    ['data that is a string', { ...minimalEvent, data: '{}' }, ['data']],
    ['data that is null', { ...minimalEvent, data: null }, ['data']],
    ['an unknown field', { ...minimalEvent, colour: 1 }, ['colour']],
    ['an empty id', { ...minimalEvent, id: '' }, ['id']],
    ['an id of 256 characters', { ...minimalEvent, id: 'x'.repeat(256) }, ['id']],
    ['an empty resource', { ...minimalEvent, resource: '' }, ['resource']],
    ['meta without code', { ...minimalEvent, meta: { message: '' } }, ['meta.code']],
    ['meta with an unknown field', { ...minimalEvent, meta: { ...meta, more: 1 } }, ['meta.more']],
    ['an empty batch', { events: [] }, ['events']],
    ['a batch of 101 events', { events: Array.from({ length: 101 }, () => minimalEvent) }, ['events']],
    [
      'two unknown types in a batch of three',
      { events: [minimalEvent, { ...minimalEvent, type: 'nope' }, { ...minimalEvent, type: 'x' }] },
      ['events.1.type', 'events.2.type'],
    ],
    [
      'data that is a number in the second event of a batch',
      { events: [minimalEvent, { ...minimalEvent, data: 1 }] },
      ['events.1.data'],
    ],
    [
      'an unknown field, an unknown type and an operational type in three events of a batch',
      {
        events: [
          { ...minimalEvent, colour: 1 },
          { type: 'nope', data: 1 },
          { ...minimalEvent, type: 'webhook.failing' },
        ],
      },
      ['events.0.colour', 'events.1.data', 'events.1.type', 'events.2.type'],
    ],
    ['an event that also has events', { ...minimalEvent, events: [minimalEvent] }, ['events']],
    [
      'numbers in exponent form that make data too large when written in full',
      { ...minimalEvent, data: { n: Array(50_000).fill(1e20) } },
      ['data'],
    ],
  ];

  const operational = catalogue.filter(({ isOperational }) => isOperational).map(({ name }) => name);
  it.each(operational)(
    'answers 422 operational_event_type and writes nothing for an event of the type %s',
    async (type) => {
      const refused = await publish({ events: [minimalEvent, { ...minimalEvent, type }] });

      const error = { path: 'events.1.type', code: 'operational_event_type' };
      expect(refused).toMatchObject({ status: 422, json: { errors: [error] } });
      expect(await eventRows()).toEqual([]);
    },
  );

  it.each(cases)('answers 422, names each wrong field and writes nothing for %s', async (_, body, paths) => {
    const text = JSON.stringify(body).replaceAll('100000000000000000000', '1e20');
    const { status, json } = await publish(text);

    expect(status).toBe(422);
    expect(json.errors.map(({ path }: Json) => path)).toEqual(paths);
    expect(await rows()).toEqual([]);
  });

  it('answers 422 with the near type when the type of an event is mistyped', async () => {
    const { json } = await publish({ type: 'task.acepted', data: {} });

    expect(json.errors[0].message).toBe('is not in the catalogue of event types. Did you mean `task.accepted`?');
  });

  it('answers 422 and writes nothing for data that is nested 20,000 levels deep', async () => {
    const { status } = await publish(`{"type":"task.accepted","data":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`);

    expect(status).toBe(422);
    expect(await rows()).toEqual([]);
  });
});

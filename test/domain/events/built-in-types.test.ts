import { describe, expect, it } from 'vitest';
import { builtInEventType, catalogue } from '../../../lambdas/domain/events/built-in-types.ts';

describe('the catalogue of built-in event types', () => {
  it.each([
    ['PP-5', ['task.accepted', 'task.picked_up', 'task.delivered', 'task.completed', 'task.cancelled']],
    ['PM-3', ['calculate_rates', 'create_a_label', 'cancel_a_label', 'create_a_bulk_download', 'manifest_a_label']],
    [
      'MT-4',
      [
        'pass.created',
        'pass.updated',
        'pass.url_viewed',
        'pass.downloaded',
        'pass.installed',
        'pass.removed',
        'pass.voided',
      ],
    ],
    ['PC-9', ['pass_created', 'pass_template_updated']],
  ])('%s: contains these event types, none of them operational: %j', (_statement, types) => {
    for (const type of types) expect(builtInEventType(type)).toMatchObject({ name: type, isOperational: false });
  });

  it('has twenty-four distinct types, four of them operational', () => {
    expect(new Set(catalogue.map(({ name }) => name)).size).toBe(24);
    expect(catalogue.filter(({ isOperational }) => isOperational)).toHaveLength(4);
  });

  it.each(['constructor', 'task.unknown', '*'])('does not contain the name %s', (name) => {
    expect(builtInEventType(name)).toBeUndefined();
  });
});

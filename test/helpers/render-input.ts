import type { RenderInput } from '../../lambdas/domain/deliveries/profile.ts';

/** An input for `render`. Its text breaks if code handles bytes or characters wrongly. */
export const renderInput = (overrides: Partial<RenderInput> = {}): RenderInput => ({
  deliveryId: 'dlv_01JDB6Q8000000000000000000000000000000000000000000001AB',
  eventId: 'evt_01JDB6Q80000000000000000AB',
  eventType: 'task.accepted',
  createdAt: '2026-11-20T10:15:30.123Z',
  dataJson: '{"task":{"id":"tsk_1","item":"Glemt pass: Åse \\"Ø\\" 🛂","reward_nok":250.0}}',
  metaJson: null,
  resource: null,
  apiVersion: '2026-11-01',
  ...overrides,
});

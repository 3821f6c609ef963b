const AT = '2026-11-16T09:30:00.000Z';

/** A task's content in the API documentation's examples. */
export const taskContentExample = {
  item: 'Forgotten passport',
  category: 'Documents',
  size: 'envelope',
  urgency: 'express',
  reward_nok: 250,
  pickup: { city: 'Oslo', address: 'Hotel Bristol, Kristian IVs gate 7' },
  dropoff: { city: 'Gardermoen', address: 'Oslo Airport, Terminal 2' },
  recipient: { name: 'Jane Doe', phone: '+4790000000' },
  external_reference: 'RES-2026-00042',
} as const;

const task = {
  id: 'tsk_01KA8Z3M9Q4T7V2X5B8D1F6H0N',
  status: 'created',
  owner: null,
  version: 1,
  ...taskContentExample,
  carrier: null,
  cancel_reason: null,
  created_at: AT,
  updated_at: AT,
  accepted_at: null,
  picked_up_at: null,
  delivered_at: null,
  completed_at: null,
  cancelled_at: null,
  personal_data_erased_at: null,
};

/** Returns an example of a task in a status. Each status except `created` also sets its own time. */
const taskIn = (status: string) => ({
  task: { ...task, status, ...(status === 'created' ? {} : { [`${status}_at`]: AT }) },
});

const pass = { pass: { id: 'pass-sample-1', serial_number: 'S-0001', template: 'sample' } };
const charge = { amount: 42.5, currency: 'EUR' };
const aboutWebhook = (reason: string | null) => ({
  webhook: { id: 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0K', url: 'https://example.com/hooks', description: null },
  reason,
  delivery: null,
});

/** An example of each built-in type's `data`. All values are invented. */
const samples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'task.created': taskIn('created'),
  'task.accepted': taskIn('accepted'),
  'task.picked_up': taskIn('picked_up'),
  'task.delivered': taskIn('delivered'),
  'task.completed': taskIn('completed'),
  'task.cancelled': taskIn('cancelled'),

  'pass.created': pass,
  'pass.updated': pass,
  'pass.url_viewed': pass,
  'pass.downloaded': pass,
  'pass.installed': pass,
  'pass.removed': pass,
  'pass.voided': pass,

  calculate_rates: { id: 'sample-1', status: 'calculated', rates: [{ service_type: 'sample', total_charge: charge }] },
  create_a_label: { id: 'sample-1', status: 'created', tracking_numbers: ['SAMPLE0001'] },
  cancel_a_label: { id: 'sample-1', status: 'cancelled' },
  create_a_bulk_download: { id: 'sample-1', status: 'created', files: [] },
  manifest_a_label: { id: 'sample-1', status: 'manifested', manifests: [] },

  pass_created: { pass_id: 'pass-sample-1', pass_template: 'sample' },
  pass_template_updated: { template: { id: 'sample', name: 'Sample' } },

  'webhook.disabled': aboutWebhook('failing'),
  'webhook.failing': aboutWebhook('failing'),
  'webhook.recovered': aboutWebhook(null),
  'delivery.dead': aboutWebhook('dead'),
};

/** Returns an example of a type's `data`. Empty for an account's own type, because its content is unknown. */
export const sampleOf = (type: string): Readonly<Record<string, unknown>> => samples[type] ?? {};

/** An event type built into this release. Accounts may register their own types too. */
export interface EventType {
  readonly name: string;
  readonly description: string;
  /**
   * True for types of events about webhooks themselves. A webhook must name such a type, because `*` does not include
   * it.
   */
  readonly isOperational: boolean;
}

const business = (name: string, description: string): EventType => ({ name, description, isOperational: false });
const operational = (name: string, description: string): EventType => ({ name, description, isOperational: true });

/**
 * The event types built into this release: business types of tasks, passes, rates and labels, and operational types.
 */
export const catalogue: readonly EventType[] = [
  business('task.created', 'A delivery task was created.'),
  business('task.accepted', 'A carrier accepted the task.'),
  business('task.picked_up', 'The carrier picked the item up.'),
  business('task.delivered', 'The item reached its recipient.'),
  business('task.completed', 'The task was closed after delivery.'),
  business('task.cancelled', 'The task was cancelled before delivery.'),

  business('pass.created', 'A pass was issued.'),
  business('pass.updated', 'Fields or metadata of a pass changed.'),
  business('pass.url_viewed', 'A holder opened the link to a pass.'),
  business('pass.downloaded', 'The file of a pass was downloaded.'),
  business('pass.installed', 'A pass was put into a wallet.'),
  business('pass.removed', 'A pass was taken out of a wallet.'),
  business('pass.voided', 'A pass was declared void.'),

  business('calculate_rates', 'A calculation of rates has a result.'),
  business('create_a_label', 'The creation of a label has a result.'),
  business('cancel_a_label', 'The cancellation of a label has a result.'),
  business('create_a_bulk_download', 'A bulk download has a result.'),
  business('manifest_a_label', 'A manifest of labels has a result.'),

  business('pass_created', 'A pass was created from a template.'),
  business('pass_template_updated', 'A template changed.'),

  operational('webhook.disabled', 'A webhook was disabled because its receiver is gone or failed for too long.'),
  operational('webhook.failing', 'A webhook has failed for an hour, or a delivery to it is dead.'),
  operational('webhook.recovered', 'A delivery to a failing webhook succeeded.'),
  operational('delivery.dead', 'A delivery used its whole schedule without success.'),
];

const byName = new Map(catalogue.map((type) => [type.name, type]));

export const isBuiltIn = (name: string): boolean => byName.has(name);
export const builtInEventType = (name: string): EventType | undefined => byName.get(name);

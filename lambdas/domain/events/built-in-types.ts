/** A type of event that this release knows of itself; accounts may add their own. */
export interface EventType {
  readonly name: string;
  readonly description: string;
  /** About the webhooks themselves: must be named, never meant by `*`. */
  readonly isOperational: boolean;
}

const business = (name: string, description: string): EventType => ({ name, description, isOperational: false });
const operational = (name: string, description: string): EventType => ({ name, description, isOperational: true });

/** The event types of the five systems. */
export const catalogue: readonly EventType[] = [
  business('task.created', 'A delivery task was created.'),
  business('task.accepted', 'A carrier accepted the task.'),
  business('task.picked_up', 'The carrier picked the item up.'),
  business('task.delivered', 'The item reached its recipient.'),
  business('task.completed', 'The task was closed after delivery.'),
  business('task.cancelled', 'The task was cancelled before delivery.'),

  business('pass.created', 'A pass was issued.'),
  business('pass.updated', 'Fields or metadata of a pass changed.'),
  business('pass.url_viewed', 'A holder opened the address a pass is handed out at.'),
  business('pass.downloaded', 'The file of a pass was downloaded.'),
  business('pass.installed', 'A pass was put into a wallet.'),
  business('pass.removed', 'A pass was taken out of a wallet.'),
  business('pass.voided', 'A pass was declared void.'),

  business('calculate_rates', 'A calculation of rates has its result.'),
  business('create_a_label', 'The making of a label has its result.'),
  business('cancel_a_label', 'The cancelling of a label has its result.'),
  business('create_a_bulk_download', 'A bulk download has its result.'),
  business('manifest_a_label', 'The manifesting of labels has its result.'),

  business('pass_created', 'A pass was made from a template.'),
  business('pass_template_updated', 'A template changed.'),

  operational('webhook.disabled', 'A webhook was disabled: its receiver is gone, or has failed for too long.'),
  operational('webhook.failing', 'A webhook has failed for an hour, or a delivery to it died.'),
  operational('webhook.recovered', 'A failing webhook was delivered to again.'),
  operational('delivery.dead', 'A delivery used up its schedule without success.'),
];

const byName = new Map(catalogue.map((type) => [type.name, type]));

export const isBuiltIn = (name: string): boolean => byName.has(name);
export const builtInEventType = (name: string): EventType | undefined => byName.get(name);

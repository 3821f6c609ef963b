import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { refusalCodeOf } from '../../lambdas/adapters/aws/refusal.ts';
import { createEventsTable } from '../../lambdas/adapters/events/events-table.ts';
import { createTemplatesTable } from '../../lambdas/adapters/events/templates-table.ts';
import { createFanOutStore } from '../../lambdas/adapters/fan-out/fan-out-store.ts';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import { createJobsTable } from '../../lambdas/adapters/jobs/jobs-table.ts';
import { createLostChangesReads } from '../../lambdas/adapters/maintenance/lost-changes.ts';
import { commandToRow } from '../../lambdas/adapters/rows/command-row.ts';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { commandKey, type Key } from '../../lambdas/adapters/rows/table-keys.ts';
import { createTasksTable } from '../../lambdas/adapters/tasks/tasks-table.ts';
import { type Command, commandSchema } from '../../lambdas/domain/deliveries/command.ts';
import { type StoredEvent, storedEventSchema } from '../../lambdas/domain/events/event.ts';
import { auditEntry } from '../../lambdas/domain/foundation/audit.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { accountOf } from '../../lambdas/domain/foundation/owner.ts';
import type { StoredJob } from '../../lambdas/domain/jobs/job.ts';
import { findLostChanges } from '../../lambdas/domain/maintenance/find-lost-changes.ts';
import type { LostChangesStore } from '../../lambdas/domain/maintenance/lost-changes.ts';
import { newTask, type StoredTask, type TaskStatus, taskContentSchema } from '../../lambdas/domain/tasks/task.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { createRolledEngine } from './roll-up.ts';
import type { Tables } from './tables.ts';
import { anEvent } from './virtual-engine.ts';

const content = taskContentSchema.parse({
  item: 'A parcel',
  pickup: { city: 'Oslo', address: 'Storgata 1' },
  dropoff: { city: 'Bergen', address: 'Bryggen 2' },
});

/** A job with a result for webhooks, completed when it was created. */
export const aJob = (owner: string, nowMs: number, over: Partial<StoredJob> = {}): StoredJob => {
  const at = new Date(nowMs).toISOString();
  return {
    id: drawId('job', nowMs),
    owner,
    type: 'calculate_rates',
    status: 'completed',
    result_to: 'webhooks',
    input: '{}',
    meta: '{"code":200,"message":"OK","details":[],"retryable":false}',
    data: '{"rates":[]}',
    progress: null,
    version: 2,
    created_at: at,
    completed_at: at,
    content_hash: null,
    written_by: 'req_1',
    ...over,
  };
};

/**
 * The engine with an account of its own. The test writes rows as the API does and decides which of the changes the stream
 * passes to the fan-out; the stream loses the others.
 */
export const createLossyEngine = async (tables: Tables, startMs: number) => {
  const engine = await createRolledEngine(tables, () => ({ status: 200 }), startMs);
  const { owner } = engine;
  const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
  const tasks = createTasksTable(tables.client, names.domain, 30);
  const events = createEventsTable(tables.client, names.domain, 30);
  const templates = createTemplatesTable(tables.client, names.domain);
  const jobs = createJobsTable(tables.client, names.domain, 30);
  const fanOutStore = createFanOutStore(tables.client, names, 30, (type) => type.startsWith('webhook.'));
  const store: LostChangesStore = {
    ...fanOutStore,
    ...createLostChangesReads(tables.client, names),
    accounts: engine.store.accounts,
  };

  const read = async (key: Key) => {
    const { Item } = await tables.client.send(
      new GetItemCommand({ TableName: names.domain, Key: marshall(key), ConsistentRead: true }),
    );
    return Item && unmarshall(Item);
  };
  const put = (row: Record<string, unknown>) =>
    tables.client.send(
      new PutItemCommand({
        TableName: names.domain,
        Item: marshall(rowOf(row), { removeUndefinedValues: true }),
      }),
    );
  const iso = () => new Date(engine.now()).toISOString();

  return {
    ...engine,
    read,
    put,
    jobs,
    /** Writes a template's creation and its first update. The stream passes neither. */
    async updateTemplate(id: string): Promise<void> {
      const times = { created_at: iso(), updated_at: iso() };
      for (const version of [1, 2]) {
        const by = { accountId: accountOf(owner), keyId: 'key_1', ip: '192.0.2.1' };
        await templates.put(
          { id, name: id, owner, version, ...times, written_by: 'req_1' },
          version === 1 ? null : 1,
          auditEntry(by, 'template.put', id, engine.now()),
        );
      }
    },
    /** Gives the row with this key to the fan-out, as the stream does. */
    async passRow(key: Key): Promise<void> {
      const change = imageToChange(marshall((await read(key)) ?? {}));
      if (change) await engine.fanOut([change]);
    },
    /** Writes a new task. The stream does not pass it. */
    async addTask(over: Partial<StoredTask> = {}): Promise<StoredTask> {
      const origin = { owner, customer: null, content_hash: null, written_by: drawId('req', engine.now()) };
      const task = { ...newTask(drawId('tsk', engine.now()), content, origin, engine.now()), ...over };
      await tasks.add(task, engine.now());
      return task;
    },
    /** Writes a move of a task. The stream does not pass it. */
    async moveTask(task: StoredTask, status: TaskStatus, over: Partial<StoredTask> = {}): Promise<StoredTask> {
      const moved = {
        ...task,
        status,
        version: task.version + 1,
        updated_at: iso(),
        [`${status}_at`]: iso(),
        written_by: drawId('req', engine.now()),
        ...over,
      };
      await tasks.replace(moved, task.version);
      return moved;
    },
    /** Writes a published event. The stream does not pass it. */
    async addEvent(over: Partial<StoredEvent> = {}): Promise<StoredEvent> {
      const event = { ...anEvent({}, engine.now()), ...over, owner };
      await events.add([event]);
      return event;
    },
    /** Writes a command. The stream does not pass it. */
    async addCommand(command: Command): Promise<void> {
      await put(commandToRow(command, engine.now()));
    },
    /** Gives a command's row to the fan-out, as the stream does. */
    async passCommand(id: string): Promise<void> {
      await engine.fanOut([{ kind: 'command', command: commandSchema.parse(await read(commandKey(owner, id))) }]);
    },
    readCommand: (id: string) => read(commandKey(owner, id)),
    /** Runs the search of a tick of the roll-up now. `over` replaces the store's `add`. */
    search: (isTimeUp = () => false, over = (add: LostChangesStore['add']): LostChangesStore['add'] => add) =>
      findLostChanges(
        engine.now(),
        {
          store: { ...store, add: over(store.add) },
          queue: engine.queue,
          clock: engine.now,
          retentionDays: 30,
          refusalCodeOf,
        },
        isTimeUp,
      ),
    /** Returns the owner's stored events, without attributes of their rows only. */
    async storedEvents(): Promise<StoredEvent[]> {
      const { Items = [] } = await tables.client.send(
        new ScanCommand({
          TableName: names.domain,
          FilterExpression: 'begins_with(pk, :pk)',
          ExpressionAttributeValues: marshall({ ':pk': `E#${owner}#` }),
        }),
      );
      return Items.map((item) => storedEventSchema.parse(unmarshall(item)));
    },
    /** Returns the event types of the posts to a webhook, sorted. */
    postedTypes: (webhook: StoredWebhook): string[] =>
      engine.posts
        .filter(({ url }) => url === webhook.url)
        .map(({ body }) => String(JSON.parse(body).type))
        .toSorted(),
  };
};

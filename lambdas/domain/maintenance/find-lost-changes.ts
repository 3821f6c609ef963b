import { accountOf, modes, ownerKey } from '../foundation/owner.ts';
import { DAY_MS, HOUR_MS } from '../foundation/time.ts';
import { createCheckpoint } from './checkpoint.ts';
import { createMissing, fanOutLost, isRecent } from './fan-out-lost.ts';
import type {
  EventPage,
  LostChangesDependencies,
  LostChangesProgress,
  LostChangesReport,
  LostChangesSearch,
  LostChangesStore,
} from './lost-changes.ts';

/**
 * Milliseconds between an hour's end and the comparison of its changes. A fan-out that is up to an hour behind is slow and
 * has lost nothing. The hour is never divided by `speed`, because nothing makes the stream faster.
 */
export const LOST_AFTER_MS = HOUR_MS;

/**
 * Milliseconds after which a command that is still not carried out is submitted once more. A row of a command exists for
 * two days, so a command that is refused each time is submitted at most five times.
 */
const RESUBMIT_AFTER_MS = 12 * HOUR_MS;

/**
 * Finds changes that the stream lost, in the hours that ended at least an hour ago. An event is lost if its task, template
 * or job shows the change and the event has no row, or if the event has no delivery for a webhook that wanted the event
 * before it happened: then the search writes the missing rows and sends the messages. A command is lost if it is not
 * marked as carried out: then the search submits it again. Rows that exist stay unchanged, so running twice is safe.
 * Events that were erased or are older than the retention are left alone. The progress is stored in a row.
 *
 * Costs, for each million: a new task writes one entry of the index, $0.63; a move writes two if it is in another hour
 * than the last change, $1.25, otherwise none; a command has one write more, $0.63; an event and a delivery have none.
 * The comparison reads a changed task, its events and their deliveries with half a read unit each: about $0.25 for a
 * change of a task, $0.02 for an event of a kilobyte and $0.06 for a delivery. Idle, each hour 16 queries, and for each
 * account and mode two, or ten if it has webhooks, of half a read unit each: with 5,000 accounts that have webhooks in
 * one mode 30,000 units an hour, or 22 million and $2.70 a month.
 */
export const findLostChanges = async (
  tickAtMs: number,
  dependencies: LostChangesDependencies,
  isTimeUp: () => boolean,
): Promise<LostChangesReport> => {
  const search = await startSearch(tickAtMs, dependencies, isTimeUp);
  while (!isTimeUp() && search.progress.startMs < search.progress.endMs) {
    if (!(await compareChanges(search)) || !(await compareOwners(search))) break;
    search.progress = hoursFrom(search.progress.endMs, tickAtMs);
    if (!(await save(search))) break;
  }
  return search.report;
};

const hourStart = (timeMs: number): number => timeMs - (timeMs % HOUR_MS);

/** Returns the beginning of the comparison of the hours from `startMs`: at most a day, and none if none may be read. */
const hoursFrom = (startMs: number, tickAtMs: number): LostChangesProgress => {
  const endMs = Math.min(hourStart(tickAtMs - LOST_AFTER_MS), startMs + DAY_MS);
  return { startMs, endMs: Math.max(startMs, endMs), owner: null, list: 0, after: null };
};

/**
 * Loads the progress of the search. A search without progress begins with the last hour that it may read. Hours that are
 * older than the retention are skipped.
 */
const startSearch = async (
  tickAtMs: number,
  dependencies: LostChangesDependencies,
  isTimeUp: () => boolean,
): Promise<LostChangesSearch> => {
  const { store, clock, retentionDays } = dependencies;
  const stored = await store.lostChangesProgress();
  const oldestMs = hourStart(tickAtMs - retentionDays * DAY_MS);
  const { startMs, endMs } = stored?.progress ?? { startMs: hourStart(tickAtMs - LOST_AFTER_MS) - HOUR_MS, endMs: 0 };
  const isInterrupted = startMs >= oldestMs && startMs < endMs;
  return {
    ...dependencies,
    tickAtMs,
    isTimeUp,
    checkpoint: createCheckpoint(
      (...changed) => store.saveLostChangesProgress(...changed),
      stored?.version ?? 0,
      clock,
    ),
    report: { lostChanges: 0, deliveries: 0, refused: [], lostCommands: 0 },
    progress: stored && isInterrupted ? stored.progress : hoursFrom(Math.max(startMs, oldestMs), tickAtMs),
  };
};

// Each function below returns whether the search may continue: there is time left, and no other invocation took over.

/** Compares the tasks, templates and jobs that changed in the hours with the rows of their events. */
const compareChanges = async (search: LostChangesSearch): Promise<boolean> => {
  const { store, tickAtMs } = search;
  const { startMs, endMs, owner } = search.progress;
  if (owner !== null) return true;
  const { changes: lists } = store.lists;
  // The first pages of an hour are read at the same time, because most lists are empty.
  let firstPages: readonly EventPage[] = [];
  return readLists(search, ((endMs - startMs) / HOUR_MS) * lists, async (number, after) => {
    const hourMs = startMs + Math.floor(number / lists) * HOUR_MS;
    const list = number % lists;
    const readPage = (of: number, from: string | null) => store.changedInHour(hourMs, of, from, tickAtMs);
    if (list === 0 && after === null) {
      firstPages = await Promise.all(Array.from({ length: lists }, (_, each) => readPage(each, null)));
    }
    const { events, next } = (after === null && firstPages[list]) || (await readPage(list, after));
    const recent = events.filter((event) => isRecent(event, search));
    const storedIds = recent.length > 0 ? await store.storedEventIds(recent) : new Set<string>();
    const lost = recent.filter(({ id }) => !storedIds.has(id));
    return (await fanOutLost(search, lost)) ? { next } : null;
  });
};

/** Compares the events of the hours with the rows of their deliveries, and finds lost commands, owner by owner. */
const compareOwners = async (search: LostChangesSearch): Promise<boolean> => {
  const { store } = search;
  const { startMs, endMs } = search.progress;
  for await (const owner of ownersFrom(store, search.progress.owner)) {
    if (owner !== search.progress.owner) search.progress = { startMs, endMs, owner, list: 0, after: null };
    const webhooks = await store.routedWebhooks(owner);
    const sinceMs = new Map(webhooks.map((webhook) => [webhook.webhookId, webhook.sinceMs]));
    // The last list has the commands of the owner. An owner without webhooks has no deliveries to compare.
    const isRead = await readLists(search, store.lists.events + 1, async (list, after) => {
      if (list === store.lists.events) return resubmitCommands(search, owner, after);
      if (sinceMs.size === 0) return { next: null };
      const { events, next } = await store.eventsOfHours(owner, { startMs, endMs }, list, after, search.tickAtMs);
      const comparable = events.filter((event) => event.payload_deleted_at === undefined && isRecent(event, search));
      return (await createMissing(search, comparable, sinceMs)) ? { next } : null;
    });
    if (!isRead) return false;
  }
  return true;
};

/** Submits one page of an owner's lost commands again. */
const resubmitCommands = async (search: LostChangesSearch, owner: string, after: string | null): Promise<PageRead> => {
  const { store, tickAtMs, clock, report } = search;
  const bounds = { submittedByMs: tickAtMs - LOST_AFTER_MS, againByMs: tickAtMs - RESUBMIT_AFTER_MS };
  const { ids, next } = await store.unfinishedCommands(owner, after, bounds);
  for (const id of ids) if (await store.resubmit(owner, id, clock())) report.lostCommands++;
  return { next };
};

/** Yields the owners of all accounts, beginning with `from` (`null` = with the first account). */
async function* ownersFrom(store: LostChangesStore, from: string | null): AsyncGenerator<string> {
  const ownersOf = (accountId: string) => modes.map((mode) => ownerKey({ accountId, mode }));
  if (from !== null) yield* ownersOf(accountOf(from)).filter((owner) => owner >= from);
  for await (const accountId of store.accounts(from && accountOf(from))) yield* ownersOf(accountId);
}

/** Where the next page begins; null instead if the time was up within the page, which must be read again. */
type PageRead = { readonly next: string | null } | null;

/** Reads the lists page by page, beginning at the progress. `read` reads one page. */
const readLists = async (
  search: LostChangesSearch,
  lists: number,
  read: (list: number, after: string | null) => Promise<PageRead>,
): Promise<boolean> => {
  while (search.progress.list < lists) {
    const { list, after } = search.progress;
    const page = await read(list, after);
    if (page) search.progress = { ...search.progress, list: page.next === null ? list + 1 : list, after: page.next };
    if (!(await mayContinue(search)) || page === null) return false;
  }
  return true;
};

const mayContinue = async (search: LostChangesSearch): Promise<boolean> => {
  if (!search.isTimeUp() && !search.checkpoint.isSaveDue()) return true;
  return (await save(search)) && !search.isTimeUp();
};

const save = ({ checkpoint, progress }: LostChangesSearch): Promise<boolean> => checkpoint.save(progress);

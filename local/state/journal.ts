import { DatabaseSync } from 'node:sqlite';

/** A queued message is stored as it is; only its id has a meaning here. */
export interface StoredMessage {
  readonly messageId: string;
}

/** What the runner must remember over a restart: queued messages, places in streams, secrets. */
export interface Journal {
  messages<Message extends StoredMessage>(queue: string): Message[];
  keepMessage(queue: string, message: StoredMessage): void;
  dropMessage(messageId: string): void;
  dropMessages(queue: string): void;
  read(key: string): string | undefined;
  write(key: string, value: string): void;
  close(): void;
}

const FLUSH_MS = 20;

/**
 * Writes are gathered for some milliseconds and written in one transaction: a message that came and went meanwhile never
 * touches the file, and a place in a stream is never kept without the messages that were sent before it was reached.
 */
export const openJournal = (file: string): Journal => {
  const db = new DatabaseSync(file);
  // Losing the last writes with the machine's power is fine here; losing them with this process is not, and that holds.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;');
  db.exec('CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, queue TEXT NOT NULL, message TEXT NOT NULL)');
  db.exec('CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
  const insertMessage = db.prepare('INSERT OR REPLACE INTO messages VALUES (?, ?, ?)');
  const deleteMessage = db.prepare('DELETE FROM messages WHERE id = ?');
  const deleteMessages = db.prepare('DELETE FROM messages WHERE queue = ?');
  const selectMessages = db.prepare('SELECT message FROM messages WHERE queue = ? ORDER BY rowid');
  const insertNote = db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)');
  const selectNote = db.prepare('SELECT value FROM notes WHERE key = ?');

  /** Messages that stand in the file. */
  const stored = new Set(
    db
      .prepare('SELECT id FROM messages')
      .all()
      .map(({ id }) => String(id)),
  );
  let fresh = new Map<string, { queue: string; message: StoredMessage }>();
  let gone = new Set<string>();
  let notes = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    db.exec('BEGIN');
    for (const [id, { queue, message }] of fresh) {
      insertMessage.run(id, queue, JSON.stringify(message));
      stored.add(id);
    }
    for (const id of gone) {
      deleteMessage.run(id);
      stored.delete(id);
    }
    for (const [key, value] of notes) insertNote.run(key, value);
    db.exec('COMMIT');
    fresh = new Map();
    gone = new Set();
    notes = new Map();
  };
  const flushSoon = (): void => {
    timer ??= setTimeout(flush, FLUSH_MS);
  };

  return {
    messages<Message extends StoredMessage>(queue: string): Message[] {
      flush();
      return selectMessages.all(queue).map(({ message }) => JSON.parse(String(message)) as Message);
    },
    keepMessage(queue, message) {
      gone.delete(message.messageId);
      fresh.set(message.messageId, { queue, message });
      flushSoon();
    },
    dropMessage(messageId) {
      fresh.delete(messageId);
      if (!stored.has(messageId)) return;
      gone.add(messageId);
      flushSoon();
    },
    dropMessages(queue) {
      flush();
      deleteMessages.run(queue);
    },
    read: (key) => notes.get(key) ?? (selectNote.get(key)?.value as string | undefined),
    write(key, value) {
      notes.set(key, value);
      flushSoon();
    },
    close() {
      flush();
      db.close();
    },
  };
};

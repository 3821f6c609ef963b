import { DatabaseSync } from 'node:sqlite';

/** A queued message. It is stored unchanged; the journal reads only its id. */
export interface StoredMessage {
  readonly messageId: string;
}

/** The local stack's state that survives a restart: queued messages, positions in streams, secrets. */
export interface Journal {
  messages<Message extends StoredMessage>(queue: string): Message[];
  storeMessage(queue: string, message: StoredMessage): void;
  deleteMessage(messageId: string): void;
  deleteMessages(queue: string): void;
  read(key: string): string | undefined;
  write(key: string, value: string): void;
  close(): void;
}

const FLUSH_MS = 20;

const openDatabase = (file: string) => {
  const db = new DatabaseSync(file);
  // Writes are not synchronised with the disk: the last committed writes may be lost when the machine loses power, but
  // not when this process is killed.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;');
  db.exec('CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, queue TEXT NOT NULL, message TEXT NOT NULL)');
  db.exec('CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
  return {
    db,
    insertMessage: db.prepare('INSERT OR REPLACE INTO messages VALUES (?, ?, ?)'),
    deleteMessage: db.prepare('DELETE FROM messages WHERE id = ?'),
    deleteMessages: db.prepare('DELETE FROM messages WHERE queue = ?'),
    selectIds: db.prepare('SELECT id FROM messages'),
    selectMessages: db.prepare('SELECT message FROM messages WHERE queue = ? ORDER BY rowid'),
    insertNote: db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)'),
    selectNote: db.prepare('SELECT value FROM notes WHERE key = ?'),
  };
};

/**
 * Opens the journal's file. Writes are collected for some milliseconds and written in one transaction. A message that is
 * added and deleted in this time is never written, and a stream's position is written together with all earlier messages.
 */
export const openJournal = (file: string): Journal => {
  const { db, ...statements } = openDatabase(file);
  /** Ids of the messages that are in the file. */
  const stored = new Set(statements.selectIds.all().map(({ id }) => String(id)));
  let added = new Map<string, { queue: string; message: StoredMessage }>();
  let deleted = new Set<string>();
  let notes = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    db.exec('BEGIN');
    for (const [id, { queue, message }] of added) {
      statements.insertMessage.run(id, queue, JSON.stringify(message));
      stored.add(id);
    }
    for (const id of deleted) {
      statements.deleteMessage.run(id);
      stored.delete(id);
    }
    for (const [key, value] of notes) statements.insertNote.run(key, value);
    db.exec('COMMIT');
    added = new Map();
    deleted = new Set();
    notes = new Map();
  };
  const flushSoon = (): void => {
    timer ??= setTimeout(flush, FLUSH_MS);
  };

  return {
    messages<Message extends StoredMessage>(queue: string): Message[] {
      flush();
      return statements.selectMessages.all(queue).map(({ message }) => JSON.parse(String(message)) as Message);
    },
    storeMessage(queue, message) {
      deleted.delete(message.messageId);
      added.set(message.messageId, { queue, message });
      flushSoon();
    },
    deleteMessage(messageId) {
      added.delete(messageId);
      if (!stored.has(messageId)) return;
      deleted.add(messageId);
      flushSoon();
    },
    deleteMessages(queue) {
      flush();
      statements.deleteMessages.run(queue);
    },
    read: (key) => notes.get(key) ?? (statements.selectNote.get(key)?.value as string | undefined),
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

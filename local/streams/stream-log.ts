import { DatabaseSync } from 'node:sqlite';

/** The engine's own table of stream records, seen from beside it. */
export interface StreamLog {
  /** Whether there is a record after this sequence number. Costs microseconds. */
  hasAfter(table: string, sequenceNumber: string): boolean;
  /** Removes some of the records before this sequence number, never the newest, which the engine counts on from. False: there may be more. */
  trim(table: string, beforeSequenceNumber: string): boolean;
  close(): void;
}

const TRIMMED_AT_ONCE = 1000;

/**
 * Dynoxide 1.2.1 finds a stream's next sequence number by reading all of its records, and never removes one: with an index
 * made from outside writes take the same time however many there are (2,000 records: 990 a second without, 20,000: 114).
 */
export const openStreamLog = (file: string): StreamLog => {
  const db = new DatabaseSync(file, { timeout: 2000 });
  db.exec('CREATE INDEX IF NOT EXISTS stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER))');
  // From here on this thread must not stand still: what finds the file locked is left for the next time.
  db.exec('PRAGMA busy_timeout = 5');
  const version = db.prepare('PRAGMA data_version');
  const newest = db.prepare(
    'SELECT sequence_number FROM _stream_records WHERE table_name = ? ORDER BY CAST(sequence_number AS INTEGER) DESC LIMIT 1',
  );
  const remove = db.prepare(
    `DELETE FROM _stream_records WHERE id IN (SELECT id FROM _stream_records WHERE table_name = ?1
       AND CAST(sequence_number AS INTEGER) < ?2
       AND CAST(sequence_number AS INTEGER) < (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)
     ORDER BY CAST(sequence_number AS INTEGER) LIMIT ${TRIMMED_AT_ONCE})`,
  );
  let seenVersion: unknown;
  const newestOf = new Map<string, string>();
  return {
    hasAfter(table, sequenceNumber) {
      const now = version.get()?.data_version;
      if (now !== seenVersion) newestOf.clear();
      seenVersion = now;
      let sequence = newestOf.get(table);
      if (sequence === undefined) {
        sequence = String(newest.get(table)?.sequence_number ?? '0');
        newestOf.set(table, sequence);
      }
      return BigInt(sequence) > BigInt(sequenceNumber);
    },
    trim(table, before) {
      try {
        return Number(remove.run(table, Number(before)).changes) < TRIMMED_AT_ONCE;
      } catch {
        return false;
      }
    },
    close: () => db.close(),
  };
};

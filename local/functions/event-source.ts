/** A running event source mapping: it invokes a function with the records of a queue or a stream. */
export interface Source {
  /** Whether all records have been processed. */
  isIdle(): Promise<boolean>;
  stop(): void;
}

/** An event source mapping that can be disabled and enabled, as on Lambda. */
export interface MappedSource extends Source {
  readonly isEnabled: boolean;
  enable(): void;
  /** Records in flight are finished; other records stay in the queue or stream. */
  disable(): void;
}

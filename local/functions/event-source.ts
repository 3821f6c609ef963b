/** A running event source mapping, which invokes a function with the records of a queue or a stream. */
export interface Source {
  /**
   * Returns whether all received records are processed and no more records wait in the queue or stream. While the
   * mapping is disabled, records that wait in the queue or stream do not count.
   */
  isIdle(): Promise<boolean>;
  stop(): void;
}

/** An event source mapping that can be disabled and enabled, as on Lambda. */
export interface MappedSource extends Source {
  readonly isEnabled: boolean;
  enable(): void;
  /**
   * Stops receiving records. Records that were received before are still processed; all others stay in the queue or
   * stream.
   */
  disable(): void;
}

/** What carries records to a function: a queue's or a stream's mapping at work. */
export interface Source {
  /** Whether everything there was to carry has been carried. */
  isIdle(): Promise<boolean>;
  stop(): void;
}

/** A mapping at work, which can be disabled and enabled as Lambda's can. */
export interface MappedSource extends Source {
  readonly isEnabled: boolean;
  enable(): void;
  /** What is in flight is finished; the rest stays where it is. */
  disable(): void;
}

/** What carries records to a function: a queue's or a stream's mapping at work. */
export interface Source {
  /** Whether everything there was to carry has been carried. */
  isIdle(): Promise<boolean>;
  stop(): void;
}

export interface SendEntry {
  readonly Id?: unknown;
  readonly DelaySeconds?: unknown;
  readonly MessageBody?: unknown;
}

export interface FailedEntry {
  readonly Id: string;
  readonly SenderFault: true;
  readonly Code: string;
  readonly Message: string;
}

/** What AWS refuses and fauxqs takes, said as AWS says it. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export const refusalOfMessage = ({
  DelaySeconds,
  MessageBody,
}: SendEntry): { code: string; message: string } | undefined => {
  if (typeof MessageBody !== 'string' || MessageBody === '') {
    return { code: 'MissingParameter', message: 'The request must contain the parameter MessageBody.' };
  }
  const isDelayFit =
    DelaySeconds === undefined ||
    (Number.isInteger(DelaySeconds) && (DelaySeconds as number) >= 0 && (DelaySeconds as number) <= 900);
  if (!isDelayFit) {
    const message = `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`;
    return { code: 'InvalidParameterValue', message };
  }
  return undefined;
};

/** A batch that is refused as a whole. fauxqs itself sees to more than ten entries, their bytes, repeated and ill-formed ids. */
export const refusalOfBatch = (entries: readonly SendEntry[]): { code: string; message: string } | undefined => {
  if (entries.every(({ Id }) => typeof Id === 'string' && Id.length >= 1 && Id.length <= 80)) return undefined;
  return {
    code: 'InvalidBatchEntryId',
    message:
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
  };
};

/** Parts a batch into what may pass and what AWS would answer as failed. */
export const partBatch = (entries: readonly SendEntry[]): { passed: SendEntry[]; failed: FailedEntry[] } => {
  const passed: SendEntry[] = [];
  const failed: FailedEntry[] = [];
  for (const entry of entries) {
    const refusal = refusalOfMessage(entry);
    if (!refusal) passed.push(entry);
    else failed.push({ Id: String(entry.Id), SenderFault: true, Code: refusal.code, Message: refusal.message });
  }
  return { passed, failed };
};

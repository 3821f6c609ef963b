export interface SendEntry {
  readonly Id?: unknown;
  readonly DelaySeconds?: unknown;
  readonly MessageBody?: unknown;
  readonly MessageGroupId?: unknown;
}

export interface FailedEntry {
  readonly Id: string;
  readonly SenderFault: true;
  readonly Code: string;
  readonly Message: string;
}

/**
 * Returns SQS's error for a message that SQS rejects but fauxqs accepts, or undefined for a valid message.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export const refusalOfMessage = ({
  DelaySeconds,
  MessageBody,
}: SendEntry): { code: string; message: string } | undefined => {
  if (typeof MessageBody !== 'string' || MessageBody === '') {
    return { code: 'MissingParameter', message: 'The request must contain the parameter MessageBody.' };
  }
  const isDelayValid =
    DelaySeconds === undefined ||
    (Number.isInteger(DelaySeconds) && (DelaySeconds as number) >= 0 && (DelaySeconds as number) <= 900);
  if (!isDelayValid) {
    const message = `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`;
    return { code: 'InvalidParameterValue', message };
  }
  return undefined;
};

/**
 * Returns SQS's error for a whole batch with an empty or too long entry id, or undefined for a valid batch. fauxqs
 * itself checks the number of entries, their bytes, and repeated or malformed ids.
 */
export const refusalOfBatch = (entries: readonly SendEntry[]): { code: string; message: string } | undefined => {
  if (entries.every(({ Id }) => typeof Id === 'string' && Id.length >= 1 && Id.length <= 80)) return undefined;
  return {
    code: 'InvalidBatchEntryId',
    message:
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
  };
};

/** Splits the entries of a batch into valid entries and entries that SQS would report as failed. */
export const splitBatch = (entries: readonly SendEntry[]): { valid: SendEntry[]; failed: FailedEntry[] } => {
  const valid: SendEntry[] = [];
  const failed: FailedEntry[] = [];
  for (const entry of entries) {
    const refusal = refusalOfMessage(entry);
    if (!refusal) valid.push(entry);
    else failed.push({ Id: String(entry.Id), SenderFault: true, Code: refusal.code, Message: refusal.message });
  }
  return { valid, failed };
};

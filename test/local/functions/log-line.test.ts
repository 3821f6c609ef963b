import { describe, expect, it } from 'vitest';
import { readableLine } from '../../../local/functions/log-line.ts';

const at = new Date(2026, 10, 1, 9, 5, 7);
const line = (text: string) => readableLine({ functionName: 'deliver', text }, at);

describe('a function’s log line, as npm start prints it', () => {
  it('has the time, the function, the log event’s name and its fields', () => {
    const text = JSON.stringify({ level: 'info', name: 'delivery.attempted', outcome: 'refused', http_status: 503 });

    expect(line(text)).toBe('09:05:07 deliver delivery.attempted outcome=refused http_status=503');
  });

  it('has the mark ERROR when the level is error', () => {
    expect(line(JSON.stringify({ level: 'error', name: 'record.failed', error: { kind: 'Oops' } }))).toBe(
      '09:05:07 deliver ERROR record.failed error={"kind":"Oops"}',
    );
  });

  it('has the function’s name and the unchanged text when the text is not JSON', () => {
    expect(line('ERROR Sandbox.Timedout: Task timed out after 45.00 seconds')).toContain(
      'deliver ERROR Sandbox.Timedout',
    );
  });

  it.each([
    ['the log event batch.finished', JSON.stringify({ level: 'info', name: 'batch.finished', records: 10 })],
    ['metrics without a log event', JSON.stringify({ _aws: { CloudWatchMetrics: [] }, delivered: 1 })],
    ['blank text', '  '],
  ])('is undefined for %s, which is not printed', (_, text) => {
    expect(line(text)).toBeUndefined();
  });
});

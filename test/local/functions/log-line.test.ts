import { describe, expect, it } from 'vitest';
import { readableLine } from '../../../local/functions/log-line.ts';

const at = new Date(2026, 10, 1, 9, 5, 7);
const line = (text: string) => readableLine({ functionName: 'deliver', text }, at);

describe('a printed log line', () => {
  it('has the time, the function, the event’s name and its fields', () => {
    const text = JSON.stringify({ level: 'info', name: 'delivery.attempted', outcome: 'refused', http_status: 503 });

    expect(line(text)).toBe('09:05:07 deliver delivery.attempted outcome=refused http_status=503');
  });

  it('is marked ERROR for an event of level error', () => {
    expect(line(JSON.stringify({ level: 'error', name: 'record.failed', error: { kind: 'Oops' } }))).toBe(
      '09:05:07 deliver ERROR record.failed error={"kind":"Oops"}',
    );
  });

  it('contains text that is not JSON unchanged', () => {
    expect(line('ERROR Sandbox.Timedout: Task timed out after 45.00 seconds')).toContain(
      'deliver ERROR Sandbox.Timedout',
    );
  });

  it.each([
    JSON.stringify({ level: 'info', name: 'batch.finished', records: 10 }),
    JSON.stringify({ _aws: { CloudWatchMetrics: [] }, delivered: 1 }),
    '  ',
  ])('is not made for %s', (text) => {
    expect(line(text)).toBeUndefined();
  });
});

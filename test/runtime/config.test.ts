import { expect, test } from 'vitest';
import { readConfig } from '../../lambdas/runtime/config.ts';

test('readConfig returns the requested values or their defaults, and throws for missing variables without a default', () => {
  const environment = {
    DOMAIN_TABLE: 'domain',
    SCHEDULE_SPEED: '60',
    OWN_HOSTS: 'a.example,b.example',
    RETENTION_DAYS: '30',
  };

  const config = readConfig(['domainTable', 'scheduleSpeed', 'ownHosts', 'retentionDays', 'egressAllow'], environment);

  expect(config).toEqual({
    domainTable: 'domain',
    scheduleSpeed: 60,
    ownHosts: ['a.example', 'b.example'],
    retentionDays: 30,
    egressAllow: undefined,
  });
  expect(readConfig(['scheduleSpeed', 'ownHosts'], {})).toEqual({ scheduleSpeed: 1, ownHosts: [] });
  expect(() => readConfig(['retentionDays', 'autoDisableAfterHours'], {})).toThrow(/RETENTION_DAYS.*AUTO_DISABLE/);
});

test('readConfig names every missing or wrong variable in one error, which does not contain the wrong value', () => {
  const environment = { SLOW_QUEUE_URL: 'not-a-url', RETENTION_DAYS: '-1' };

  const read = () => readConfig(['domainTable', 'slowQueueUrl', 'retentionDays'], environment);

  expect(read).toThrow(/DOMAIN_TABLE.*SLOW_QUEUE_URL.*RETENTION_DAYS/);
  expect(read).not.toThrow(/not-a-url/);
});

import { readFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { counts, renderBill } from '../../bench/bill.ts';
import { formerRelease } from '../deploy/former-release.ts';
import { frontDoorSettings } from '../helpers/settings.ts';
import { resourcesOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

/** Number of metrics that CloudWatch charges for: each metric that an alarm reads, and two more for anomaly detection. */
const alarmMetrics = (template: Template): number =>
  resourcesOfType(template, 'AWS::CloudWatch::Alarm').reduce((sum, { Properties }) => {
    const { Metrics = [{ MetricStat: {} }], ThresholdMetricId } = Properties as {
      Metrics?: readonly { readonly MetricStat?: object }[];
      ThresholdMetricId?: string;
    };
    return sum + Metrics.filter(({ MetricStat }) => MetricStat).length + (ThresholdMetricId ? 2 : 0);
  }, 0);

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/deploying.md', root), 'utf8');

describe('docs/deploying.md', () => {
  test('shows exactly the monthly bill that bench/bill.ts renders', () => {
    const [, shown = ''] = /<!-- node bench\/bill\.ts.*-->\n([\s\S]*?)\n<!-- until here -->/.exec(page) ?? [];

    expect(shown).toBe(renderBill());
  });

  test('gives the number of alarms in production and of their metrics, and bench/bill.ts counts the same metrics and secrets', () => {
    const production = synthesise({ stage: 'production' });
    const count = (type: string) => resourcesOfType(production, type).length;

    expect(alarmMetrics(production)).toBe(counts.alarmMetrics);
    expect(page).toContain(`${count('AWS::CloudWatch::Alarm')} alarms that read ${counts.alarmMetrics} metrics`);
    expect(count('AWS::CloudWatch::Dashboard')).toBeLessThanOrEqual(counts.dashboards);
    expect(count('AWS::SecretsManager::Secret')).toBe(counts.secrets);
  });

  test('the tables of the section Settings name every setting of lib/settings.ts and no other setting', () => {
    const settings = readFileSync(new URL('lib/settings.ts', root), 'utf8');
    const [, list = ''] = /const names = \[([^\]]*)\]/.exec(settings) ?? [];
    const known = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name);
    const [table = ''] = /(?<=## Settings)[\s\S]*?(?=\n### )/.exec(page) ?? [];

    const named = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => cell.match(/\w+/g) ?? []);

    expect(named.toSorted()).toEqual(known.toSorted());
  });

  test('names every output of a stack with egressAddresses and a front door', () => {
    const outputs = Object.keys(synthesise({ egressAddresses: '1', ...frontDoorSettings }).toJSON().Outputs);

    expect(outputs.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test('production retains exactly these resource types: tables, Elastic IP addresses, log groups and secrets', () => {
    const retained = Object.values(resourcesOf(synthesise({ stage: 'production', egressAddresses: '1' })))
      .filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain'))
      .map(({ Type }) => Type);

    expect([...new Set(retained)].toSorted()).toEqual([
      'AWS::DynamoDB::Table',
      'AWS::EC2::EIP',
      'AWS::Logs::LogGroup',
      'AWS::SecretsManager::Secret',
    ]);
  });

  // A restored table has none of these settings, and CloudFormation does not notice that they are missing.
  test('the commands of the section Disaster recovery set the TTL, stream and recovery of a restored table as the template does', () => {
    const [section = ''] = /(?<=## Disaster recovery)[\s\S]*?(?=\n## )/.exec(page) ?? [];
    const tables = resourcesOfType(synthesise({ stage: 'production' }), 'AWS::DynamoDB::Table').map(
      ({ Properties }) => Properties,
    );
    const streams = tables.flatMap(({ StreamSpecification }) => StreamSpecification ?? []);

    expect(tables).toHaveLength(3);
    for (const table of tables) {
      expect(table).toMatchObject({
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      });
    }
    expect(streams).toEqual([{ StreamViewType: 'NEW_AND_OLD_IMAGES' }]);
    for (const setting of ['AttributeName=ttl', 'StreamViewType=NEW_AND_OLD_IMAGES', '--deletion-protection-enabled']) {
      expect(section).toContain(setting);
    }
    expect(section).toContain('PointInTimeRecoveryEnabled=true');
  });

  // A release without a tag can be checked out by its commit only.
  test('has a git checkout of the former release by tag or commit, and CHANGELOG.md names the commit of that release', () => {
    const { version, commit } = formerRelease;
    const changelog = readFileSync(new URL('CHANGELOG.md', root), 'utf8');
    const [, section = ''] = changelog.split(`## [${version}]`);

    expect(section.split('\n## ')[0]).toContain(`\`${commit}\``);
    expect(page).toMatch(new RegExp(`^git checkout (v${version}|${commit}) `, 'm'));
  });

  test('has a heading for every link to its sections, on the page itself and in lib/stage-config.ts', () => {
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    const stages = readFileSync(new URL('lib/stage-config.ts', root), 'utf8');
    const links = [...page.matchAll(/\]\(#([\w-]+)\)/g), ...stages.matchAll(/deploying\.md#([\w-]+)/g)];

    expect(links.map(([, anchor]) => anchor).filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([]);
  });
});

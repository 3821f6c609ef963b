import { App } from 'aws-cdk-lib/core';
import { describe, expect, test } from 'vitest';
import { chooseStage, stages } from '../../lib/stage-config.ts';
import { frontDoorSettings } from '../helpers/settings.ts';
import { named, nameOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

const choose = (context: Record<string, string>) => chooseStage(new App({ context }).node);

const environmentOf = (context: Record<string, string>, name: string) => {
  const { Properties } = named(synthesise(context), 'AWS::Lambda::Function', name);
  return (Properties.Environment as { Variables: Record<string, unknown> }).Variables;
};

describe('the settings of a deployment (-c name=value)', () => {
  test('chooseStage returns the config of test without settings, and of production with stage=production', () => {
    expect(choose({})).toEqual(stages.test);
    expect(choose({ stage: 'production' })).toEqual(stages.production);
  });

  test.each([
    ['stage', 'staging', /the stages are test and production/],
    ['retentionDays', '0', /from 1 to 365/],
    ['retentionDays', '1.5', /from 1 to 365/],
    ['logRetentionDays', '10', /one of 1, 3, 5, 7, 14/],
    ['autoDisableAfterHours', '721', /from 1 to 720/],
    ['apiRateLimit', '0', /from 1 to 100000/],
    ['apiBurstLimit', '100001', /from 1 to 100000/],
    ['deliverConcurrency', '1', /from 2 to 1000/],
    ['slowConcurrency', '1001', /from 2 to 1000/],
    ['engineConcurrency', '-1', /from 0 to 10000/],
    ['engineConcurrency', '19', /expected 0 or at least 20/],
    ['egressAddresses', '3', /from 1 to 2/],
    ['alarmEmail', 'ops', /expected an e-mail address/],
    ['runbookUrl', 'docs/runbook.md', /expected an https address without #/],
    ['kmsKeyArn', 'alias/passpost', /the ARN of a key, not of an alias/],
    ['kmsKeyArn', 'arn:aws:kms:eu-north-1:111122223333:alias/passpost', /the ARN of a key, not of an alias/],
    ['formerKmsKeyArn', 'alias/passpost', /the ARN of a key, not of an alias/],
    ['nextKmsKeyArn', 'alias/passpost', /the ARN of a key, not of an alias/],
    ['domainName', 'https://api.example.com', /a host name/],
    ['webAclArn', 'arn:aws:wafv2:eu-north-1:111122223333:regional/webacl/a/1234abcd', /with the scope CLOUDFRONT/],
    ['frontDoorSecretVersion', 'AWSCURRENT', /expected the id of a secret's version/],
    ['tracing', 'sometimes', /expected on or off/],
    ['egressAllow', 'everything', /only loopback/],
    ['retentiondays', '30', /unknown setting. The settings are .*retentionDays/],
  ])('chooseStage rejects %s=%s with an error that names the setting and matches %s', (name, value, message) => {
    expect(() => choose({ [name]: value })).toThrow(message);
    expect(() => choose({ [name]: value })).toThrow(`-c ${name}=`);
  });

  const domain = {
    domainName: 'api.example.com',
    certificateArn: 'arn:aws:acm:eu-north-1:111122223333:certificate/abc',
  };

  const key = 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

  test.each([
    [
      'formerKmsKeyArn is the same key as kmsKeyArn',
      { kmsKeyArn: key, formerKmsKeyArn: key },
      /formerKmsKeyArn=.*the same as kmsKeyArn/,
    ],
    [
      'nextKmsKeyArn is the same key as kmsKeyArn',
      { kmsKeyArn: key, nextKmsKeyArn: key },
      /nextKmsKeyArn=.*the same as kmsKeyArn/,
    ],
    [
      'egressAllow is set in production',
      { egressAllow: 'loopback', stage: 'production' },
      /not allowed for the stage production/,
    ],
    [
      'engineConcurrency reserves fewer invocations for deliver than slowConcurrency needs',
      { engineConcurrency: '20', slowConcurrency: '11' },
      /engineConcurrency=20: reserves 12 invocations for deliver, .* slowConcurrency 11 and deliverConcurrency 2/,
    ],
    [
      'engineConcurrency reserves fewer invocations for deliver than both lanes need',
      { engineConcurrency: '100', deliverConcurrency: '63' },
      /engineConcurrency=100: reserves 72 .* deliverConcurrency 63/,
    ],
    ['domainName is set without certificateArn', { domainName: 'api.example.com' }, /certificateArn/],
    [
      'hostedZoneId and zoneName are set without domainName',
      { hostedZoneId: 'Z1', zoneName: 'example.com' },
      /hostedZoneId= needs -c domainName=/,
    ],
    ['zoneName is set without hostedZoneId', { ...domain, zoneName: 'example.com' }, /need each other/],
    [
      'webAclArn is set and the certificate is not in us-east-1',
      { ...domain, ...frontDoorSettings },
      /certificateArn=.*us-east-1/,
    ],
    [
      'frontDoorSecretVersion is set without webAclArn',
      { frontDoorSecretVersion: 'x'.repeat(36) },
      /frontDoorSecretVersion= needs -c webAclArn=/,
    ],
    [
      'domainName is not in the zone zoneName',
      { ...domain, hostedZoneId: 'Z1', zoneName: 'example.org' },
      /not in the zone example.org/,
    ],
  ])('chooseStage throws an error with the reason if %s', (_, context, message) => {
    expect(() => choose(context)).toThrow(message);
  });

  test('chooseStage accepts the number 60 as retentionDays from cdk.json, and throws for a list', () => {
    const { node } = new App({ context: { retentionDays: 60 } });

    expect(chooseStage(node).retentionDays).toBe(60);
    expect(() => chooseStage(new App({ context: { retentionDays: [60] } }).node)).toThrow(/-c retentionDays=/);
  });

  test('egressAllow=loopback sets EGRESS_ALLOW for deliver and webhooks-api; without it the template has no EGRESS_ALLOW', () => {
    const settings = { egressAllow: 'loopback' };

    expect(environmentOf(settings, 'deliver')).toMatchObject({ EGRESS_ALLOW: 'loopback' });
    expect(environmentOf(settings, 'webhooks-api')).toMatchObject({ EGRESS_ALLOW: 'loopback' });
    expect(JSON.stringify(synthesise().toJSON())).not.toContain('EGRESS_ALLOW');
    expect(JSON.stringify(synthesise({ stage: 'production' }).toJSON())).not.toContain('EGRESS_ALLOW');
  });

  test('domainName becomes the domain name, DNS record and ApiUrl of the API, and is in the environment of deliver', () => {
    const template = synthesise({
      domainName: 'api.example.com',
      certificateArn: 'arn:aws:acm:eu-north-1:111122223333:certificate/abc',
      hostedZoneId: 'Z1',
      zoneName: 'example.com',
    });

    template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', { DomainName: 'api.example.com' });
    template.hasResourceProperties('AWS::Route53::RecordSet', { Name: 'api.example.com.', HostedZoneId: 'Z1' });
    template.hasOutput('ApiUrl', { Value: 'https://api.example.com' });
    const hosts = named(template, 'AWS::Lambda::Function', 'deliver').Properties.Environment;
    expect(JSON.stringify(hosts)).toContain(',api.example.com');
  });

  test('runbookUrl makes the description of each alarm end with the link to its section of that runbook', () => {
    const runbookUrl = 'https://wiki.example.com/runbook';

    for (const alarm of resourcesOfType(synthesise({ runbookUrl }), 'AWS::CloudWatch::Alarm')) {
      expect(alarm.Properties.AlarmDescription).toMatch(new RegExp(` ${runbookUrl}#${nameOf(alarm)}$`));
    }
  });

  test('alarmEmail adds an e-mail subscription with that address; without alarmEmail there is no subscription', () => {
    synthesise({ alarmEmail: 'ops@example.com' }).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
    expect(resourcesOfType(synthesise(), 'AWS::SNS::Subscription')).toEqual([]);
  });
});

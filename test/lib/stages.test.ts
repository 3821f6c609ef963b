import { App } from 'aws-cdk-lib/core';
import { describe, expect, test } from 'vitest';
import { chooseStage, stages } from '../../lib/stages.ts';
import { named, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

const choose = (context: Record<string, string>) => chooseStage(new App({ context }).node);

const environmentOf = (context: Record<string, string>, name: string) => {
  const { Properties } = named(synthesise(context), 'AWS::Lambda::Function', name);
  return (Properties.Environment as { Variables: Record<string, unknown> }).Variables;
};

describe('stages', () => {
  test('is the test stage unless told otherwise', () => {
    expect(choose({})).toEqual(stages.test);
    expect(choose({ stage: 'production' })).toEqual(stages.production);
  });

  test.each([
    [{ stage: 'staging' }, /stage=staging/],
    [{ retentionDays: '0' }, /retentionDays=0/],
    [{ retentionDays: '1.5' }, /retentionDays=1.5/],
    [{ deliverConcurrency: '1' }, /deliverConcurrency=1/],
    [{ egressAllow: 'everything' }, /loopback only/],
    [{ egressAllow: 'loopback', stage: 'production' }, /refused for the stage production/],
    [{ domainName: 'api.example.com' }, /certificateArn/],
    [{ domainName: 'api.example.com', certificateArn: 'arn', zoneName: 'example.com' }, /go together/],
  ])('refuses %o', (context, message) => {
    expect(() => choose(context)).toThrow(message);
  });

  test('lets webhooks reach loopback only when asked', () => {
    const asked = { egressAllow: 'loopback' };

    expect(environmentOf(asked, 'deliver')).toMatchObject({ EGRESS_ALLOW: 'loopback' });
    expect(environmentOf(asked, 'webhooks-api')).toMatchObject({ EGRESS_ALLOW: 'loopback' });
    expect(JSON.stringify(synthesise().toJSON())).not.toContain('EGRESS_ALLOW');
    expect(JSON.stringify(synthesise({ stage: 'production' }).toJSON())).not.toContain('EGRESS_ALLOW');
  });

  test('serves a domain of the operator and counts it as its own', () => {
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

  test('sends alarms to the e-mail address it is given', () => {
    synthesise({ alarmEmail: 'ops@example.com' }).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
    expect(resourcesOfType(synthesise(), 'AWS::SNS::Subscription')).toEqual([]);
  });
});

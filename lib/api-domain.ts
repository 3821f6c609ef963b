import { ApiMapping, DomainName, type HttpApi, type HttpStage, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, type IAliasRecordTarget, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import type { DomainConfig } from './stage-config.ts';

/** Serves the API at the operator's host name. Returns the target for the name's DNS record. */
export const apiDomain = (
  scope: Construct,
  config: DomainConfig,
  api: HttpApi,
  stage: HttpStage,
): IAliasRecordTarget => {
  const certificate = Certificate.fromCertificateArn(scope, 'certificate', config.certificateArn);
  const domainName = new DomainName(scope, 'domain-name', {
    domainName: config.domainName,
    certificate,
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  new ApiMapping(scope, 'domain-mapping', { api, domainName, stage });
  return new ApiGatewayv2DomainProperties(domainName.regionalDomainName, domainName.regionalHostedZoneId);
};

/** Creates the DNS record of the host name; none if the settings name no hosted zone. */
export const domainRecord = (
  scope: Construct,
  config: DomainConfig,
  target: IAliasRecordTarget,
): ARecord | undefined => {
  if (config.zone === null) return undefined;
  return new ARecord(scope, 'domain-record', {
    zone: HostedZone.fromHostedZoneAttributes(scope, 'zone', config.zone),
    recordName: config.domainName,
    target: RecordTarget.fromAlias(target),
  });
};

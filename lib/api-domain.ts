import { ApiMapping, DomainName, type HttpApi, type HttpStage, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import type { DomainConfig } from './stages.ts';

/** Serves the API at a host name of the operator's, with its DNS record where the zone is named. */
export const apiDomain = (scope: Construct, config: DomainConfig, api: HttpApi, stage: HttpStage): void => {
  const certificate = Certificate.fromCertificateArn(scope, 'certificate', config.certificateArn);
  const domainName = new DomainName(scope, 'domain-name', {
    domainName: config.domainName,
    certificate,
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  new ApiMapping(scope, 'domain-mapping', { api, domainName, stage });
  if (config.zone === null) return;
  new ARecord(scope, 'domain-record', {
    zone: HostedZone.fromHostedZoneAttributes(scope, 'zone', config.zone),
    recordName: config.domainName,
    target: RecordTarget.fromAlias(
      new ApiGatewayv2DomainProperties(domainName.regionalDomainName, domainName.regionalHostedZoneId),
    ),
  });
};

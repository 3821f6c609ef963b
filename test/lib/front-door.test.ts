import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { frontDoorSettings } from '../helpers/settings.ts';
import { actionsOf, functionNames, named, resourcesOfType, statementsOf, synthesise } from '../helpers/synthesised.ts';

const name = { domainName: 'api.example.com', hostedZoneId: 'Z1', zoneName: 'example.com' };
const certificateArn = 'arn:aws:acm:us-east-1:111122223333:certificate/abc';

describe('the front door construct (setting webAclArn)', () => {
  const template = synthesise(frontDoorSettings);
  const distribution = named(template, 'AWS::CloudFront::Distribution', 'distribution').Properties;
  const config = JSON.stringify(distribution);

  test('the CloudFront distribution has the web ACL, uses only HTTPS to viewers and to the API, and caches no answer', () => {
    expect(distribution.DistributionConfig).toMatchObject({
      WebACLId: frontDoorSettings.webAclArn,
      DefaultCacheBehavior: {
        ViewerProtocolPolicy: 'https-only',
        AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
        // CachingDisabled and AllViewerExceptHostHeader.
        CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
        OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
      },
      Origins: [{ CustomOriginConfig: { OriginProtocolPolicy: 'https-only', OriginSSLProtocols: ['TLSv1.2'] } }],
    });
  });

  // The bug: CloudFront cached one account's 404 and 503 for ten seconds and served them to every caller of the same path.
  test('the distribution caches each of the eleven error codes from 400 to 504 for 0 s and replaces no error answer', () => {
    const { CustomErrorResponses: responses } = distribution.DistributionConfig as {
      CustomErrorResponses: { ErrorCode: number; ErrorCachingMinTTL: number; ResponseCode?: number }[];
    };

    expect(responses.map(({ ErrorCode }) => ErrorCode)).toEqual([
      400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504,
    ]);
    for (const response of responses) {
      expect(response).toEqual({ ErrorCode: response.ErrorCode, ErrorCachingMinTTL: 0 });
    }
  });

  test('the distribution sends x-passpost-front-door with a generated secret that the template only references', () => {
    expect(config).toMatch(/"HeaderName":"x-passpost-front-door","HeaderValue":\{"Fn::Join".*resolve:secretsmanager:/);
    template.hasResourceProperties('AWS::SecretsManager::Secret', { GenerateSecretString: { PasswordLength: 64 } });
  });

  test('the setting frontDoorSecretVersion selects the version of the secret that the distribution sends', () => {
    const frontDoorSecretVersion = '1234abcd-12ab-34cd-56ef-1234567890ab';
    const template = synthesise({ ...frontDoorSettings, frontDoorSecretVersion });

    const { Properties } = named(template, 'AWS::CloudFront::Distribution', 'distribution');
    expect(JSON.stringify(Properties)).toContain(`:SecretString:::${frontDoorSecretVersion}}}`);
  });

  test('every route of the API has a custom authorizer, whose identity source is the header x-passpost-front-door', () => {
    const routes = resourcesOfType(template, 'AWS::ApiGatewayV2::Route');

    expect(routes.length).toBeGreaterThan(30);
    for (const { Properties } of routes) {
      expect(Properties).toMatchObject({ AuthorizationType: 'CUSTOM', AuthorizerId: expect.anything() });
    }
    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.x-passpost-front-door'],
    });
  });

  test('the authorizer depends on the distribution and the DNS record, and every route on the permission to run the authorizer', () => {
    const dependencies = (source: Template) =>
      JSON.stringify(named(source, 'AWS::ApiGatewayV2::Authorizer', 'front-door').DependsOn);

    expect(dependencies(template)).toContain('frontdoordistribution');
    for (const { DependsOn } of resourcesOfType(template, 'AWS::ApiGatewayV2::Route')) {
      expect(String(DependsOn)).toMatch(/frontdoor\w*Permission/);
    }
    expect(dependencies(synthesise({ ...frontDoorSettings, ...name, certificateArn }))).toContain('domainrecord');
  });

  test('only the front-door function may read the front door secret, and otherwise it may only log and trace', () => {
    const readers = functionNames(template).filter((fn) =>
      JSON.stringify(statementsOf(template, fn)).includes('frontdoor'),
    );

    expect(readers).toEqual(['front-door']);
    const services = actionsOf(template, 'front-door').filter((action) => !/^(logs|xray):/.test(action));
    expect(services).toEqual(['secretsmanager:GetSecretValue']);
  });

  test('the output ApiUrl and OWN_HOSTS of the deliver function contain the host name of the distribution', () => {
    const url = JSON.stringify(template.toJSON().Outputs.ApiUrl.Value);
    const { Environment } = named(template, 'AWS::Lambda::Function', 'deliver').Properties;
    const { OWN_HOSTS } = (Environment as { Variables: Record<string, unknown> }).Variables;

    expect(url).toMatch(/Fn::GetAtt.*DomainName/);
    expect(JSON.stringify(OWN_HOSTS)).toMatch(/execute-api.*Fn::GetAtt.*DomainName/);
  });

  test('with domainName, the distribution has the name, certificate and DNS record, and API Gateway has no domain name', () => {
    const withDomain = synthesise({ ...frontDoorSettings, ...name, certificateArn });

    expect(resourcesOfType(withDomain, 'AWS::ApiGatewayV2::DomainName')).toEqual([]);
    withDomain.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: [name.domainName],
        ViewerCertificate: { AcmCertificateArn: certificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
      },
    });
    withDomain.hasResourceProperties('AWS::Route53::RecordSet', {
      Name: `${name.domainName}.`,
      AliasTarget: { DNSName: { 'Fn::GetAtt': Match.arrayWith(['DomainName']) } },
    });
    withDomain.hasOutput('ApiUrl', { Value: `https://${name.domainName}` });
  });

  // The bug: the CDK generated the same name for both stages, so the second stage could not be deployed into the same account.
  test('the name of the CloudFront function contains the region, and is another one in test than in production', () => {
    const nameIn = (stage: string) =>
      JSON.stringify(
        named(synthesise({ ...frontDoorSettings, stage }), 'AWS::CloudFront::Function', 'viewer').Properties.Name,
      );

    expect(nameIn('test')).not.toBe(nameIn('production'));
    expect(nameIn('test')).toContain('AWS::Region');
  });

  test('without the setting webAclArn, the template has no distribution, no authorizer and no front-door function', () => {
    const without = synthesise();

    expect(resourcesOfType(without, 'AWS::CloudFront::Distribution')).toEqual([]);
    expect(resourcesOfType(without, 'AWS::ApiGatewayV2::Authorizer')).toEqual([]);
    expect(functionNames(without)).not.toContain('front-door');
  });
});

import { describe, expect, test } from 'vitest';
import { createResolver } from '../../local/template/intrinsics.ts';
import { apiRoutes } from '../../local/wiring/api-routes.ts';
import { createReferences } from '../../local/wiring/references.ts';
import { frontDoorSettings } from '../helpers/settings.ts';
import {
  actionsOf,
  assemblyOf,
  named,
  nameOf,
  type Resource,
  resourcesOf,
  resourcesOfType,
  synthesise,
} from '../helpers/synthesised.ts';

describe('the public API construct', () => {
  const template = synthesise();
  const traced = synthesise({ tracing: 'on' });
  const resources = resourcesOf(template);
  const refIn = (value: unknown): Resource | undefined => {
    const id = /"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/.exec(JSON.stringify(value))?.[1];
    return id === undefined ? undefined : resources[id];
  };
  const functionOf = ({ Properties }: Resource): string => {
    const integration = refIn(Properties.Target);
    const fn = integration && refIn(integration.Properties.IntegrationUri);
    return fn ? nameOf(fn) : '';
  };

  test('has exactly the listed routes, and each route runs the listed function', () => {
    const routes = resourcesOfType(template, 'AWS::ApiGatewayV2::Route').map(
      (route) => `${String(route.Properties.RouteKey).replace('/api/public/v1', '')} → ${functionOf(route)}`,
    );

    expect(routes).toEqual([
      '$default → fallback-api',
      'ANY /tasks → tasks-api',
      'ANY /tasks/{proxy+} → tasks-api',
      'ANY /webhooks → webhooks-api',
      'ANY /webhooks/{proxy+} → webhooks-api',
      'ANY /signing-keys → webhooks-api',
      'ANY /signing-keys/{proxy+} → webhooks-api',
      'ANY /deliveries → deliveries-api',
      'ANY /deliveries/{proxy+} → deliveries-api',
      'ANY /webhooks/{id}/deliveries → deliveries-api',
      'ANY /webhooks/{id}/test → deliveries-api',
      'ANY /webhooks/{id}/recover → deliveries-api',
      'ANY /webhooks/{id}/stats → deliveries-api',
      'ANY /events → events-api',
      'ANY /events/{proxy+} → events-api',
      'ANY /jobs → jobs-api',
      'ANY /jobs/{proxy+} → jobs-api',
      'ANY /keys → keys-api',
      'ANY /keys/{proxy+} → keys-api',
      'ANY /accounts → accounts-api',
      'ANY /accounts/{proxy+} → accounts-api',
      'ANY /operators → accounts-api',
      'ANY /operators/{proxy+} → accounts-api',
      'ANY /audit → audit-api',
      'ANY /audit/{proxy+} → audit-api',
      'ANY /event-types → catalogue-api',
      'ANY /event-types/{proxy+} → catalogue-api',
      'ANY /profiles → catalogue-api',
      'ANY /profiles/{proxy+} → catalogue-api',
      'ANY /templates → catalogue-api',
      'ANY /templates/{proxy+} → catalogue-api',
      'ANY /openapi.json → docs-api',
      'ANY /docs → docs-api',
      'ANY /docs/{proxy+} → docs-api',
      'ANY /health → docs-api',
      'ANY /.well-known/jwks.json → public-keys-api',
      'ANY /accounts/{id}/{mode}/jwks.json → public-keys-api',
      'ANY /inpost/public-key → public-keys-api',
      'ANY /v1/webhooks → passmint-api',
      'ANY /v1/webhooks/{proxy+} → passmint-api',
      'ANY /api/hook/{proxy+} → passcreator-api',
    ]);
  });

  test.each([
    ['without other settings', {}],
    ['with a front door', frontDoorSettings],
  ])(
    'a permission lets API Gateway invoke the function and the authorizer of each route in a stack %s',
    (_, settings) => {
      const assembly = assemblyOf(synthesise(settings));
      const running = { gatewayUrl: '', queueEndpoint: '', tables: new Map(), customData: new Map() };
      const routes = apiRoutes(assembly, createResolver('passpost-test', createReferences(assembly, running)));
      const refused = routes.filter(
        ({ target }) => target.authorizer?.isPermitted === false || !['GET', 'POST'].every(target.mayInvoke),
      );

      expect(routes.map(({ key }) => key)).toContain('$default');
      expect(refused.map(({ key }) => key)).toEqual([]);
    },
  );

  // The bug: the permission demanded three parts after the API's id, and API Gateway calls $default with two parts.
  test('the only permission to invoke the fallback-api function has a source ARN that ends with <api>/*/$default', () => {
    const permissions = resourcesOfType(template, 'AWS::Lambda::Permission').filter(({ Properties }) => {
      const fn = refIn(Properties.FunctionName);
      return fn && nameOf(fn) === 'fallback-api';
    });

    expect(permissions.map(({ Properties }) => JSON.stringify(Properties.SourceArn))).toEqual([
      expect.stringMatching(/\{"Ref":"apihttpapi\w+"\},"\/\*\/\$default"\]\]\}$/),
    ]);
  });

  test('the stage passes on 1,000 requests a second in bursts of 500, or the numbers of apiRateLimit and apiBurstLimit', () => {
    const limitsOf = (settings: Readonly<Record<string, string>>) =>
      named(synthesise(settings), 'AWS::ApiGatewayV2::Stage', 'stage').Properties.DefaultRouteSettings;

    expect(limitsOf({})).toEqual({ ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 500 });
    expect(limitsOf({ apiRateLimit: '50', apiBurstLimit: '20' })).toEqual({
      ThrottlingRateLimit: 50,
      ThrottlingBurstLimit: 20,
    });
  });

  test('the access log contains path and status, and no query, header, authorizer or $request value', () => {
    const { Format } = named(template, 'AWS::ApiGatewayV2::Stage', 'stage').Properties.AccessLogSettings as {
      Format: string;
    };

    expect(JSON.parse(Format)).toMatchObject({ status: '$context.status', path: '$context.path' });
    expect(Format).not.toMatch(/query|header|authorizer|\$request/i);
  });

  test.each(['docs-api', 'fallback-api'])(
    'with tracing=on, the role of the function %s allows only logs: and xray: actions',
    (name) => {
      const services = new Set(actionsOf(traced, name).map((action) => action.split(':')[0]));

      expect([...services].toSorted()).toEqual(['logs', 'xray']);
    },
  );
});

import { existsSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { pathToFileURL } from 'node:url';
import { env } from '../../lambdas/runtime/env.ts';
import type { FunctionDefinition } from '../functions/execution-environment.ts';
import { REGION, type Resolve } from '../template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../template/template.ts';
import { functionArn } from './references.ts';

export interface Endpoints {
  readonly dynamodb: string;
  readonly sqs: string;
  readonly secretsmanager: string;
}

export interface FunctionSettings {
  readonly endpoints: Endpoints;
  readonly speed: number;
  readonly strictEgress: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

interface FunctionProperties {
  readonly Code: { readonly S3Key: string };
  readonly Handler: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
}

/**
 * Returns a function's environment variables that Lambda itself sets, and the variables with the engines' endpoints.
 * Disables the AWS configuration files of this machine's user.
 */
const runtimeVariables = (name: string, memoryMb: number, { endpoints }: FunctionSettings): Record<string, string> => ({
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
  AWS_ENDPOINT_URL_SQS: endpoints.sqs,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsmanager,
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: name,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
  TZ: ':UTC',
});

const moduleOf = (directory: string, file: string): string => {
  const path = ['.mjs', '.js', '.cjs'].map((suffix) => join(directory, file + suffix)).find(existsSync);
  if (!path) throw new Error(`The bundle ${directory} has no ${file}.mjs: run npm run synth.`);
  return pathToFileURL(resolvePath(path)).href;
};

/**
 * Returns the template's functions by name, with their bundles and environment variables. Throws if a bundle is
 * missing.
 */
export const functionDefinitions = (
  assembly: Assembly,
  resolve: Resolve,
  settings: FunctionSettings,
): Map<string, FunctionDefinition> => {
  const definitions = resourcesOf(assembly, 'AWS::Lambda::Function').map(({ name, properties }): FunctionDefinition => {
    const { Code, Handler, Timeout = 3, MemorySize = 128, Environment } = resolve(properties) as FunctionProperties;
    const [file = 'index', exportName = 'handler'] = Handler.split('.');
    const variables = Object.entries(Environment?.Variables ?? {}).map(([key, value]) => [key, String(value)]);
    const environment: Record<string, string> = {
      ...Object.fromEntries(variables),
      ...runtimeVariables(name, MemorySize, settings),
      [env.scheduleSpeed]: String(settings.speed),
      [env.egressAllow]: 'loopback',
      ...settings.environment,
    };
    if (settings.strictEgress) delete environment[env.egressAllow];
    return {
      name,
      arn: functionArn(name),
      module: moduleOf(assembly.bundle(Code.S3Key), file),
      exportName,
      timeoutSeconds: Timeout,
      memoryMb: MemorySize,
      environment,
    };
  });
  return new Map(definitions.map((definition) => [definition.name, definition]));
};

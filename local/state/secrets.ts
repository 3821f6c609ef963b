import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ACCOUNT, REGION, type Resolve } from '../template/intrinsics.ts';
import type { Resource } from '../template/template.ts';
import type { Journal } from './journal.ts';

export interface Secrets {
  readonly endpoint: string;
  /** Returns the current value of the secret with this logical id or ARN; undefined if the secret has no value. */
  value(secretId: string): string | undefined;
  stop(): Promise<void>;
}

interface Version {
  readonly id: string;
  readonly value: string;
  readonly createdAt: number;
}

/** A secret's versions, newest first: AWSCURRENT, AWSPREVIOUS, older ones. */
type Versions = readonly Version[];

class SecretsRefusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export const secretArn = (logicalId: string): string =>
  `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${logicalId}-local0`;

const generate = (settings: Record<string, unknown>): string => {
  const length = Number(settings.PasswordLength ?? 32);
  const password = randomBytes(length).toString('base64url').slice(0, length);
  const template = settings.SecretStringTemplate;
  if (typeof template !== 'string') return password;
  return JSON.stringify({ ...JSON.parse(template), [String(settings.GenerateStringKey)]: password });
};

const initialValue = (properties: Record<string, unknown>): string | undefined => {
  if (typeof properties.SecretString === 'string') return properties.SecretString;
  const settings = properties.GenerateSecretString;
  return settings ? generate(settings as Record<string, unknown>) : undefined;
};

const MAX_BYTES = 65_536;

type Operation = (input: Record<string, unknown>) => object;

const createOperations = (ids: ReadonlyMap<string, string>, journal: Journal): Record<string, Operation> => {
  const find = ({ SecretId }: Record<string, unknown>): { logicalId: string; arn: string; versions: Versions } => {
    const logicalId = ids.get(String(SecretId));
    if (logicalId === undefined) {
      throw new SecretsRefusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    const versions = JSON.parse(journal.read(`secret ${logicalId}`) ?? '[]') as Versions;
    return { logicalId, arn: secretArn(logicalId), versions };
  };
  return {
    GetSecretValue(input) {
      const { logicalId, arn, versions } = find(input);
      const { VersionId, VersionStage = 'AWSCURRENT' } = input;
      const staged =
        VersionStage === 'AWSCURRENT' ? versions[0] : VersionStage === 'AWSPREVIOUS' ? versions[1] : undefined;
      const version = VersionId === undefined ? staged : versions.find(({ id }) => id === VersionId);
      if (!version) {
        const message = `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`;
        throw new SecretsRefusal('ResourceNotFoundException', message);
      }
      const stages = version === versions[0] ? ['AWSCURRENT'] : version === versions[1] ? ['AWSPREVIOUS'] : [];
      return {
        ARN: arn,
        Name: logicalId,
        VersionId: version.id,
        VersionStages: stages,
        SecretString: version.value,
        CreatedDate: version.createdAt,
      };
    },
    PutSecretValue(input) {
      const { logicalId, arn, versions } = find(input);
      const { SecretString, ClientRequestToken } = input;
      if (typeof SecretString !== 'string' || Buffer.byteLength(SecretString) > MAX_BYTES) {
        throw new SecretsRefusal(
          'InvalidParameterException',
          `SecretString must be text of at most ${MAX_BYTES} bytes.`,
        );
      }
      const id = typeof ClientRequestToken === 'string' ? ClientRequestToken : randomUUID();
      const same = versions.find((version) => version.id === id);
      if (same && same.value !== SecretString) {
        throw new SecretsRefusal('ResourceExistsException', 'The version exists with another value.');
      }
      if (!same) {
        const version: Version = { id, value: SecretString, createdAt: Date.now() / 1000 };
        journal.write(`secret ${logicalId}`, JSON.stringify([version, ...versions].slice(0, 100)));
      }
      return { ARN: arn, Name: logicalId, VersionId: id, VersionStages: ['AWSCURRENT'] };
    },
    DescribeSecret(input) {
      const { logicalId, arn, versions } = find(input);
      const stages = versions.slice(0, 2).map(({ id }, index) => [id, [index === 0 ? 'AWSCURRENT' : 'AWSPREVIOUS']]);
      return { ARN: arn, Name: logicalId, VersionIdsToStages: Object.fromEntries(stages) };
    },
  };
};

const readJson = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
};

/** Starts an endpoint with the operations of Secrets Manager that functions use. The values are stored in the journal. */
export const startSecrets = async (
  resources: readonly Resource[],
  resolve: Resolve,
  journal: Journal,
): Promise<Secrets> => {
  const ids = new Map(
    resources.flatMap(({ logicalId }) => [
      [logicalId, logicalId],
      [secretArn(logicalId), logicalId],
    ]),
  );
  const operations = createOperations(ids, journal);
  for (const { logicalId, properties } of resources) {
    const value = initialValue(resolve(properties) as Record<string, unknown>);
    const isNew = journal.read(`secret ${logicalId}`) === undefined;
    if (isNew && value !== undefined) operations.PutSecretValue?.({ SecretId: logicalId, SecretString: value });
  }

  const perform = async (request: IncomingMessage): Promise<object> => {
    const name = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
    const operation = operations[name];
    if (!operation) throw new SecretsRefusal('InvalidRequestException', `The local stack does not know ${name}.`);
    return operation(await readJson(request));
  };
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    try {
      response.end(JSON.stringify(await perform(request)));
    } catch (error) {
      const code = error instanceof SecretsRefusal ? error.code : 'InternalServiceError';
      response.writeHead(error instanceof SecretsRefusal ? 400 : 500);
      response.end(JSON.stringify({ __type: code, Message: (error as Error).message }));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    value(secretId) {
      const versions = JSON.parse(journal.read(`secret ${ids.get(secretId)}`) ?? '[]') as Versions;
      return versions[0]?.value;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
};

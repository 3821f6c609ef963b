/** Error of a call that DynamoDB rejected; `code` is DynamoDB's error type without its namespace. */
export class DynamoRefusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export type DynamoCall = (operation: string, input: object) => Promise<Record<string, unknown>>;

const services = { table: 'DynamoDB_20120810', stream: 'DynamoDBStreams_20120810' };

/**
 * Creates a function that calls DynamoDB without the SDK, because loading the SDK makes the start slower. Local engines
 * require a well-formed signature but do not verify it. The function throws `DynamoRefusal` if DynamoDB rejects a call.
 */
export const createDynamoCall =
  (endpoint: string, service: keyof typeof services): DynamoCall =>
  async (operation, input) => {
    const now = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `${services[service]}.${operation}`,
        'x-amz-date': now,
        authorization: `AWS4-HMAC-SHA256 Credential=local/${now.slice(0, 8)}/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    }).catch((cause: Error) => {
      throw new Error(`No DynamoDB engine answers at ${endpoint}.`, { cause });
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (response.ok) return answer;
    const code = String(answer.__type ?? response.status).replace(/^.*#/, '');
    throw new DynamoRefusal(code, String(answer.message ?? answer.Message ?? ''));
  };

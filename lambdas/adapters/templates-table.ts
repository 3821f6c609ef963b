import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Page, Position } from '../domain/page.ts';
import { type ChangingTemplates, type StoredTemplate, storedTemplateSchema } from '../domain/template.ts';
import { batchGet } from './batch-get.ts';
import { queryPositions } from './listed-rows.ts';
import { indexes, templateKey, templateListPk } from './table-keys.ts';

export interface TemplatesTable extends ChangingTemplates {
  /** False where there was none. */
  remove(owner: string, id: string): Promise<boolean>;
  list(owner: string, limit: number, after: Position | null): Promise<Page<StoredTemplate>>;
}

/** Whether the condition of a write held. */
const held = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
};

/** Templates in the domain table: its stream makes their updates known. */
export const createTemplatesTable = (client: DynamoDBClient, table: string): TemplatesTable => ({
  async find(owner, id) {
    const Key = marshall(templateKey(owner, id));
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item ? storedTemplateSchema.parse(unmarshall(Item)) : null;
  },

  put(template, version) {
    const { owner, id, created_at } = template;
    return held(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: marshall({
            ...template,
            ...templateKey(owner, id),
            kind: 'template',
            list_pk: templateListPk(owner),
            list_sk: `${created_at}#${id}`,
          }),
          ConditionExpression: version === null ? 'attribute_not_exists(pk)' : 'version = :version',
          ...(version === null ? {} : { ExpressionAttributeValues: marshall({ ':version': version }) }),
        }),
      ),
    );
  },

  remove(owner, id) {
    const Key = marshall(templateKey(owner, id));
    const ConditionExpression = 'attribute_exists(pk)';
    return held(client.send(new DeleteItemCommand({ TableName: table, Key, ConditionExpression })));
  },

  async list(owner, limit, after) {
    const run = { index: indexes.list, attribute: 'list', pk: templateListPk(owner), prefix: '' } as const;
    const positions = await queryPositions(client, table, run, { limit, after });
    const shown = positions.slice(0, limit);
    const keyed = shown.map(({ id }) => ({ table, key: templateKey(owner, id), isConsistent: true }));
    const rows = await batchGet(client, keyed);
    return {
      items: keyed.flatMap(({ key }) => {
        const row = rows(table, key);
        return row ? [storedTemplateSchema.parse(row)] : [];
      }),
      next: positions.length > limit ? (shown.at(-1) ?? null) : null,
    };
  },
});

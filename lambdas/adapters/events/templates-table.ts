import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type ChangingTemplates,
  isTemplateId,
  type StoredTemplate,
  storedTemplateSchema,
  templateEvent,
} from '../../domain/events/template.ts';
import type { Page, Position } from '../../domain/foundation/page.ts';
import { batchGet } from '../aws/batch-get.ts';
import { queryPositions } from '../aws/status-list.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { rowOf } from '../rows/row.ts';
import { changesPkOf, indexes, templateKey, templateListPk } from '../rows/table-keys.ts';

export interface TemplatesTable extends ChangingTemplates {
  /** Lists an owner's templates, newest first, beginning after the position `after`. */
  list(owner: string, limit: number, after: Position | null): Promise<Page<StoredTemplate>>;
}

/**
 * Stores templates in the domain table. The table's stream carries each update to the fan-out, which makes an event of
 * the update.
 */
export const createTemplatesTable = (client: DynamoDBClient, table: string): TemplatesTable => ({
  async find(owner, id) {
    // Returns early for a malformed id, because DynamoDB limits the length of a key.
    if (!isTemplateId(id)) return null;
    const Key = marshall(templateKey(owner, id));
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item ? storedTemplateSchema.parse(unmarshall(Item)) : null;
  },

  put(template, version, entry) {
    const { owner, id, created_at } = template;
    const put = {
      TableName: table,
      Item: marshall(
        rowOf({
          ...template,
          ...templateKey(owner, id),
          kind: 'template',
          list_pk: templateListPk(owner),
          list_sk: `${created_at}#${id}`,
          changed_pk: templateEvent(template) && changesPkOf(template.updated_at, id),
        }),
      ),
      ConditionExpression: version === null ? 'attribute_not_exists(pk)' : 'version = :version',
      ...(version === null ? {} : { ExpressionAttributeValues: marshall({ ':version': version }) }),
    };
    return changeTogether(client, [{ Put: put }, putAuditEntry(table, entry)]);
  },

  async remove(owner, id, entry) {
    if (!isTemplateId(id)) return false;
    const Key = marshall(templateKey(owner, id));
    const Delete = { TableName: table, Key, ConditionExpression: 'attribute_exists(pk)' };
    return changeTogether(client, [{ Delete }, putAuditEntry(table, entry)]);
  },

  async list(owner, limit, after) {
    const run = { index: indexes.list, attribute: 'list', pk: templateListPk(owner), prefix: '' } as const;
    const positions = await queryPositions(client, table, run, { limit, after });
    const pagePositions = positions.slice(0, limit);
    const keyed = pagePositions.map(({ id }) => ({ table, key: templateKey(owner, id), isConsistent: true }));
    const rows = await batchGet(client, keyed);
    return {
      items: keyed.flatMap(({ key }) => {
        const row = rows(table, key);
        return row ? [storedTemplateSchema.parse(row)] : [];
      }),
      next: positions.length > limit ? (pagePositions.at(-1) ?? null) : null,
    };
  },
});

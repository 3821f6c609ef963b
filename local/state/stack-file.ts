import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the parts of a running local stack are: what CloudFormation and the region would say of one on AWS. */
export interface StackFile {
  readonly stackName: string;
  readonly endpoints: { readonly dynamodb: string; readonly sqs: string; readonly lambda: string };
  readonly resources: readonly { readonly logicalId: string; readonly type: string; readonly physicalId: string }[];
}

const fileIn = (folder: string): string => join(folder, 'stack.json');

/** What the stack that runs on this folder wrote; undefined where none runs. */
export const readStackFile = (folder: string): StackFile | undefined => {
  try {
    return JSON.parse(readFileSync(fileIn(folder), 'utf8')) as StackFile;
  } catch {
    return undefined;
  }
};

export const writeStackFile = (folder: string, content: StackFile): void =>
  writeFileSync(fileIn(folder), JSON.stringify(content, null, 2));

export const removeStackFile = (folder: string): void => rmSync(fileIn(folder), { force: true });

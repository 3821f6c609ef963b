import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What of swagger-ui-dist the reference page loads. */
const types = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
} as const;

const isAsset = (name: string): name is keyof typeof types => Object.hasOwn(types, name);

/** The files of the reference page: beside the bundled function, or in the package where nothing is bundled. */
export const readDocsAsset = async (name: string): Promise<{ type: string; text: string } | null> => {
  if (!isAsset(name)) return null;
  const beside = join(import.meta.dirname, name);
  const file = existsSync(beside) ? beside : createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
  return { type: types[name], text: await readFile(file, 'utf8') };
};

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The files of swagger-ui-dist that the reference page loads, with their content types. */
const contentTypes = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
} as const;

const isAsset = (name: string): name is keyof typeof contentTypes => Object.hasOwn(contentTypes, name);

/**
 * Reads a file of the reference page: from the folder of the bundled function, or from the package swagger-ui-dist if
 * nothing is bundled. Returns null if the page has no file with this name.
 */
export const readDocsAsset = async (name: string): Promise<{ type: string; text: string } | null> => {
  if (!isAsset(name)) return null;
  const bundled = join(import.meta.dirname, name);
  const file = existsSync(bundled) ? bundled : createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
  return { type: contentTypes[name], text: await readFile(file, 'utf8') };
};

import { httpHandler } from '../runtime/http.ts';
import type { Surface } from '../runtime/problem.ts';

/** By how their paths begin; whatever no other function answers is not found in the shape of its surface. */
const surfaceOf = (path: string): Surface => {
  if (`${path}/`.startsWith('/v1/')) return 'passmint';
  return `${path}/`.startsWith('/api/hook/') ? 'passcreator' : 'native';
};

export const handler = httpHandler([], { surface: surfaceOf });

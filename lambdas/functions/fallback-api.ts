import { httpHandler } from '../runtime/http.ts';
import type { Surface } from '../runtime/problem.ts';

/** Returns the surface of a path, so that the 404 of an unknown path has the right error format. */
const surfaceOf = (path: string): Surface => {
  if (`${path}/`.startsWith('/v1/')) return 'passmint';
  return `${path}/`.startsWith('/api/hook/') ? 'passcreator' : 'native';
};

export const handler = httpHandler([], { surface: surfaceOf });

// Imported by both worlds, the stack that makes the front door and the functions behind it: imports nothing.

/** What CloudFront adds to each request, and what the viewer's address is handed on in. */
export const frontDoorHeaders = {
  /** Shows that a request came through the front door: the value is a secret. */
  pass: 'x-passpost-front-door',
  viewerAddress: 'x-passpost-viewer-address',
} as const;

// Read by the stack, which creates the front door, and by the functions behind it: imports nothing.

/** Headers that CloudFront adds to each request. */
export const frontDoorHeaders = {
  /** Proves that a request came through the front door: the value is a secret. */
  pass: 'x-passpost-front-door',
  /** The client's IP address. */
  viewerAddress: 'x-passpost-viewer-address',
} as const;

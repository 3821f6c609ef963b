// The stack that creates the front door and the functions behind it read these names, so this file imports nothing.

/** Headers that CloudFront adds to each request. */
export const frontDoorHeaders = {
  /** Proves that a request came through the front door: the value is a secret. */
  pass: 'x-passpost-front-door',
  /** The client's IP address. */
  viewerAddress: 'x-passpost-viewer-address',
} as const;

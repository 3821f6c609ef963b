// The stack that creates the front door and the functions behind it both read the header names in this file. The file
// imports nothing, so that neither loads code of the other.

/** Headers that CloudFront adds to each request. */
export const frontDoorHeaders = {
  /**
   * The name of the header that carries the front door's secret. The secret proves that CloudFront sent the request.
   */
  pass: 'x-passpost-front-door',
  /** The name of the header that carries the client's IP address. */
  viewerAddress: 'x-passpost-viewer-address',
} as const;

/**
 * Matches X-Ray's trace header and captures the trace id.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
const XRAY = /(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/;
/**
 * Matches a W3C `traceparent` header and captures the two parts of X-Ray's trace id.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{8})([0-9a-f]{24})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Returns the id of a request's trace in X-Ray's form: the function's own trace, otherwise the trace that the caller
 * names, otherwise `undefined`.
 */
export const traceIdOf = (xray: string | undefined, traceparent: string | undefined): string | undefined => {
  const [, own] = XRAY.exec(xray ?? '') ?? [];
  if (own) return own;
  const [, time, unique] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  return time && unique ? `1-${time}-${unique}` : undefined;
};

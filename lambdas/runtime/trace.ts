/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const XRAY = /(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{8})([0-9a-f]{24})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace that a request belongs to, as X-Ray writes its id: the function's own, else the one its caller names. */
export const traceIdOf = (xray: string | undefined, traceparent: string | undefined): string | undefined => {
  const [, own] = XRAY.exec(xray ?? '') ?? [];
  if (own) return own;
  const [, time, unique] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  return time && unique ? `1-${time}-${unique}` : undefined;
};

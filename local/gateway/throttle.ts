/** The stage's throttle: requests a second, and how many of them may come at the same time. */
export interface ThrottleSettings {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/**
 * Creates a token bucket, by which API Gateway limits all requests of a stage together. The returned function takes a
 * token and returns true, or returns false if the bucket is empty.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
 */
export const createThrottle = ({ ratePerSecond, burst }: ThrottleSettings, now: () => number): (() => boolean) => {
  let tokens = burst;
  let filledAtMs = now();
  return () => {
    const nowMs = now();
    tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) * ratePerSecond) / 1000);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
};

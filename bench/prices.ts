/** List prices of usage in us-east-1 in dollars, from the services' price pages in November 2026. */
export const prices = {
  /** https://aws.amazon.com/api-gateway/pricing/: HTTP API, first 300 million requests a month. */
  httpApiRequest: 1.0 / 1e6,
  /** https://aws.amazon.com/lambda/pricing/: a request, and a GB-second on arm64. */
  functionRequest: 0.2 / 1e6,
  functionGbSecond: 0.0000133334,
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  /** https://aws.amazon.com/sqs/pricing/: a standard queue, with the surcharge for fair queues. */
  queueRequest: 0.5 / 1e6,
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secretRequest: 0.05 / 1e4,
} as const;

/** Prices of stored data, of resources by the month, and of usage that is not counted per delivery. */
export const monthlyPrices = {
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/: a GB of storage, and of point-in-time recovery. */
  tableGb: 0.25,
  backupGb: 0.2,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  logGbIngested: 0.5,
  logGbStored: 0.03,
  metricSeries: 0.3,
  alarm: 0.1,
  dashboard: 3,
  /** https://aws.amazon.com/xray/pricing/ */
  trace: 5 / 1e6,
  /** https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer: a GB to the internet, after 100 free GB. */
  sentGb: 0.09,
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secret: 0.4,
} as const;

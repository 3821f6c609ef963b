/** List prices of usage in us-east-1 in dollars, from the services' price pages in November 2026. */
export const prices = {
  /**
   * Price of a request to the HTTP API, in the first 300 million requests a month:
   * https://aws.amazon.com/api-gateway/pricing/
   */
  httpApiRequest: 1.0 / 1e6,
  /** Prices of a request to a function, and of a GB-second on arm64: https://aws.amazon.com/lambda/pricing/ */
  functionRequest: 0.2 / 1e6,
  functionGbSecond: 0.0000133334,
  /**
   * Prices of a write unit and of a read unit of a table with on-demand capacity:
   * https://aws.amazon.com/dynamodb/pricing/on-demand/
   */
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  /**
   * Price of a request to a standard queue, including the surcharge for fair queues:
   * https://aws.amazon.com/sqs/pricing/
   */
  queueRequest: 0.5 / 1e6,
  /** Price of an API call that reads or changes a secret: https://aws.amazon.com/secrets-manager/pricing/ */
  secretRequest: 0.05 / 1e4,
} as const;

/** Prices in dollars of stored data, of resources by the month, and of usage that is not counted per delivery. */
export const monthlyPrices = {
  /**
   * Prices of a GB of table storage and of a GB of point-in-time recovery, each for a month:
   * https://aws.amazon.com/dynamodb/pricing/on-demand/
   */
  tableGb: 0.25,
  backupGb: 0.2,
  /**
   * Prices of a GB of logs ingested, and for a month of a GB of logs stored, a metric series, an alarm and a dashboard:
   * https://aws.amazon.com/cloudwatch/pricing/
   */
  logGbIngested: 0.5,
  logGbStored: 0.03,
  metricSeries: 0.3,
  alarm: 0.1,
  dashboard: 3,
  /** Price of a recorded trace: https://aws.amazon.com/xray/pricing/ */
  trace: 5 / 1e6,
  /**
   * Price of a GB sent to the internet, after 100 free GB a month:
   * https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer
   */
  sentGb: 0.09,
  /** Price of a stored secret for a month: https://aws.amazon.com/secrets-manager/pricing/ */
  secret: 0.4,
} as const;

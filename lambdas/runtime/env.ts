// The stack sets these environment variables and the functions read them, so this file imports nothing.

/** The name of every environment variable that the stack may set on a function. */
export const env = {
  domainTable: 'DOMAIN_TABLE',
  deliveryTable: 'DELIVERY_TABLE',
  credentialsTable: 'CREDENTIALS_TABLE',
  deliveriesQueueUrl: 'DELIVERIES_QUEUE_URL',
  slowQueueUrl: 'SLOW_QUEUE_URL',
  failuresQueueUrl: 'FAILURES_QUEUE_URL',
  keyringSecret: 'KEYRING_SECRET_ARN',
  operatorSecret: 'OPERATOR_SECRET_ARN',
  frontDoorSecret: 'FRONT_DOOR_SECRET_ARN',
  retentionDays: 'RETENTION_DAYS',
  autoDisableAfterHours: 'AUTO_DISABLE_AFTER_HOURS',
  /** Comma-separated host names of this deployment. No webhook may point to them. */
  ownHosts: 'OWN_HOSTS',
  /**
   * The number that divides the waits of every schedule and, for example, the queue's longest delay, the due index's
   * horizon and the counted hours. Only a local stack sets it.
   */
  scheduleSpeed: 'SCHEDULE_SPEED',
  /**
   * The value `loopback` lets webhooks point to loopback addresses. Only a local stack and a deployment into an
   * emulator set the variable.
   */
  egressAllow: 'EGRESS_ALLOW',
} as const;

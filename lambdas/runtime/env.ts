// Imported by both worlds, the stack that sets these variables and the functions that read them: imports nothing.

/** The name of every environment variable a function may be given. */
export const env = {
  domainTable: 'DOMAIN_TABLE',
  deliveryTable: 'DELIVERY_TABLE',
  deliveriesQueueUrl: 'DELIVERIES_QUEUE_URL',
  slowQueueUrl: 'SLOW_QUEUE_URL',
  failuresQueueUrl: 'FAILURES_QUEUE_URL',
  keyringSecret: 'KEYRING_SECRET_ARN',
  operatorSecret: 'OPERATOR_SECRET_ARN',
  frontDoorSecret: 'FRONT_DOOR_SECRET_ARN',
  retentionDays: 'RETENTION_DAYS',
  autoDisableAfterHours: 'AUTO_DISABLE_AFTER_HOURS',
  /** Comma-separated host names this deployment answers at; no webhook may point there. */
  ownHosts: 'OWN_HOSTS',
  /** Divides every wait of every schedule, and with them the queue's limit and the due index's horizon. Only a local stack sets it. */
  scheduleSpeed: 'SCHEDULE_SPEED',
  /** `loopback` lets webhooks point at this machine. Only a local stack sets it. */
  egressAllow: 'EGRESS_ALLOW',
} as const;

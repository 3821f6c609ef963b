/** Settings that put CloudFront in front of the API. */
export const frontDoorSettings = {
  webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/passpost/1234abcd-12ab-34cd-56ef-1234567890ab',
};

/** Every setting that can be combined with all others and that works in every environment. */
export const mostSettings = {
  alarmEmail: 'ops@example.com',
  apiBurstLimit: '2000',
  apiRateLimit: '4000',
  autoDisableAfterHours: '72',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab',
  deliverConcurrency: '50',
  engineConcurrency: '100',
  domainName: 'api.example.com',
  formerKmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/0000abcd-12ab-34cd-56ef-1234567890ab',
  kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  logRetentionDays: '365',
  nextKmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/abcd1234-12ab-34cd-56ef-1234567890ab',
  retentionDays: '60',
  runbookUrl: 'https://wiki.example.com/passpost/runbook',
  slowConcurrency: '20',
  tracing: 'off',
};

/** Settings with which every role has every permission that it can have. */
export const settingsOfEveryPermission = {
  ...mostSettings,
  ...frontDoorSettings,
  egressAddresses: '2',
  tracing: 'on',
};

import { secretsClient } from '../adapters/aws/aws-clients.ts';
import { createFrontDoorSecrets } from '../adapters/keyring/front-door-secrets.ts';
import { isAdmitted } from '../domain/keyring/front-door-admission.ts';
import { readConfig } from '../runtime/config.ts';
import { frontDoorHandler } from '../runtime/front-door.ts';

const config = readConfig(['frontDoorSecret']);
const secrets = createFrontDoorSecrets(secretsClient(), config.frontDoorSecret, Date.now);

/** Submission by the gateway about what a request shows; deployed only where CloudFront stands before the API. */
export const handler = frontDoorHandler((shown) => isAdmitted(shown, secrets));

import { secretsClient } from '../adapters/aws/aws-clients.ts';
import { createFrontDoorSecrets } from '../adapters/keyring/front-door-secrets.ts';
import { isAdmitted } from '../domain/keyring/front-door-admission.ts';
import { readConfig } from '../runtime/config.ts';
import { frontDoorHandler } from '../runtime/front-door.ts';

const config = readConfig(['frontDoorSecret']);
const secrets = createFrontDoorSecrets(secretsClient(), config.frontDoorSecret, Date.now);

/** The gateway's authorizer: checks the front door header of a request. Deployed only if CloudFront is in front of the API. */
export const handler = frontDoorHandler((headerValue) => isAdmitted(headerValue, secrets));

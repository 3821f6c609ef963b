import { App, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { PassPostStack } from '../lib/passpost-stack.ts';
import { chooseStage } from '../lib/stage-config.ts';

const app = new App();
const stage = chooseStage(app.node);
new PassPostStack(app, 'PassPost', { stage });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));

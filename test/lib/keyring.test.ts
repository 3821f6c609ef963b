import { describe, expect, test } from 'vitest';
import { SETTLING_MS } from '../../lambdas/runtime/custom-resource.ts';
import { actionsOf, functionNames, named, resourcesOfType, statementsOf, synthesise } from '../helpers/synthesised.ts';

describe('the keyring construct', () => {
  const template = synthesise();
  const mayTouchSecrets = functionNames(template).filter((name) =>
    actionsOf(template, name).some((action) => action.startsWith('secretsmanager:')),
  );

  test('only deliver and key-material may call Secrets Manager, and deliver may call only GetSecretValue', () => {
    expect(mayTouchSecrets.toSorted()).toEqual(['deliver', 'key-material']);
    expect(actionsOf(template, 'deliver').filter((action) => action.startsWith('secretsmanager:'))).toEqual([
      'secretsmanager:GetSecretValue',
    ]);
  });

  test('the permission GetSecretValue of the deliver function names only the secret of the keyring', () => {
    const [statement] = statementsOf(template, 'deliver').filter(
      ({ Action }) => Action === 'secretsmanager:GetSecretValue',
    );

    expect(JSON.stringify(statement?.Resource)).toMatch(/^\{"Ref":"keyring[0-9A-F]{8}"\}$/);
  });

  test('the two secrets have no properties except Description and Tags, so the template contains no secret value', () => {
    const secrets = resourcesOfType(template, 'AWS::SecretsManager::Secret').map(({ Properties }) => Properties);

    expect(secrets).toHaveLength(2);
    for (const secret of secrets) expect(Object.keys(secret).toSorted()).toEqual(['Description', 'Tags']);
  });

  test('the custom resource has only the properties ServiceToken and ServiceTimeout, and no Ref or Fn::GetAtt names it', () => {
    const [filled] = resourcesOfType(template, 'Custom::PassPostKeyMaterial');

    expect(Object.keys(filled?.Properties ?? {}).toSorted()).toEqual(['ServiceTimeout', 'ServiceToken']);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/"(Ref|Fn::GetAtt)":\[?"keyringfilled/);
  });

  test('the timeout of key-material is 90 seconds longer than the wait for permissions, and CloudFormation waits twice that timeout', () => {
    const { Timeout } = named(template, 'AWS::Lambda::Function', 'key-material').Properties as { Timeout: number };
    const [filled] = resourcesOfType(template, 'Custom::PassPostKeyMaterial');

    expect(Timeout).toBe(SETTLING_MS / 1000 + 90);
    expect(Number(filled?.Properties.ServiceTimeout)).toBeGreaterThan(2 * Timeout);
  });

  test("the stack has exactly four outputs, and OperatorKeySecret is a reference to the operator key's secret", () => {
    const outputs = template.toJSON().Outputs;

    expect(Object.keys(outputs).toSorted()).toEqual(['AlarmTopic', 'ApiUrl', 'Dashboard', 'OperatorKeySecret']);
    expect(outputs.OperatorKeySecret.Value).toEqual({ Ref: expect.stringMatching(/^keyringoperatorkey/) });
  });
});

import { describe, expect, test } from 'vitest';
import { actionsOf, functionNames, resourcesOfType, statementsOf, synthesise } from '../helpers/synthesised.ts';

describe('keyring', () => {
  const template = synthesise();
  const mayTouchSecrets = functionNames(template).filter((name) =>
    actionsOf(template, name).some((action) => action.startsWith('secretsmanager:')),
  );

  test('only the deliver function may read the keyring, and the key-material function fills the secrets', () => {
    expect(mayTouchSecrets.toSorted()).toEqual(['deliver', 'key-material']);
    expect(actionsOf(template, 'deliver').filter((action) => action.startsWith('secretsmanager:'))).toEqual([
      'secretsmanager:GetSecretValue',
    ]);
  });

  test("the deliver function may not read the operator's key", () => {
    const [statement] = statementsOf(template, 'deliver').filter(
      ({ Action }) => Action === 'secretsmanager:GetSecretValue',
    );

    expect(JSON.stringify(statement?.Resource)).toMatch(/^\{"Ref":"keyring[0-9A-F]{8}"\}$/);
  });

  test('the template contains no value of a secret', () => {
    const secrets = resourcesOfType(template, 'AWS::SecretsManager::Secret').map(({ Properties }) => Properties);

    expect(secrets).toHaveLength(2);
    for (const secret of secrets) expect(Object.keys(secret).toSorted()).toEqual(['Description', 'Tags']);
  });

  test('the custom resource passes no property to the key-material function and reads no attribute of its response', () => {
    const [filled] = resourcesOfType(template, 'Custom::PassPostKeyMaterial');

    expect(Object.keys(filled?.Properties ?? {}).toSorted()).toEqual(['ServiceTimeout', 'ServiceToken']);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/"(Ref|Fn::GetAtt)":\[?"keyringfilled/);
  });

  test("the outputs contain the ARN of the operator key's secret, not the key", () => {
    const outputs = template.toJSON().Outputs;

    expect(Object.keys(outputs).toSorted()).toEqual(['AlarmTopic', 'ApiUrl', 'Dashboard', 'OperatorKeySecret']);
    expect(outputs.OperatorKeySecret.Value).toEqual({ Ref: expect.stringMatching(/^keyringoperatorkey/) });
  });
});

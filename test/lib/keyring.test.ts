import { describe, expect, test } from 'vitest';
import { actionsOf, functionNames, resourcesOfType, statementsOf, synthesise } from '../helpers/synthesised.ts';

describe('keyring', () => {
  const template = synthesise();
  const mayTouchSecrets = functionNames(template).filter((name) =>
    actionsOf(template, name).some((action) => action.startsWith('secretsmanager:')),
  );

  test('is read by the deliver function alone, and filled at deployment', () => {
    expect(mayTouchSecrets.toSorted()).toEqual(['deliver', 'key-material']);
    expect(actionsOf(template, 'deliver').filter((action) => action.startsWith('secretsmanager:'))).toEqual([
      'secretsmanager:GetSecretValue',
    ]);
  });

  test("keeps the operator's key from the deliver function", () => {
    const [statement] = statementsOf(template, 'deliver').filter(
      ({ Action }) => Action === 'secretsmanager:GetSecretValue',
    );

    expect(JSON.stringify(statement?.Resource)).toMatch(/^\{"Ref":"keyring[0-9A-F]{8}"\}$/);
  });

  test('has no value in the template', () => {
    const secrets = resourcesOfType(template, 'AWS::SecretsManager::Secret').map(({ Properties }) => Properties);

    expect(secrets).toHaveLength(2);
    for (const secret of secrets) expect(Object.keys(secret).toSorted()).toEqual(['Description', 'Tags']);
  });

  test('passes nothing to and takes nothing from the function that fills it', () => {
    const [filled] = resourcesOfType(template, 'Custom::PassPostKeyMaterial');

    expect(Object.keys(filled?.Properties ?? {}).toSorted()).toEqual(['ServiceTimeout', 'ServiceToken']);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/"(Ref|Fn::GetAtt)":\[?"keyringfilled/);
  });

  test("puts out where the operator's key is, not the key", () => {
    const outputs = template.toJSON().Outputs;

    expect(Object.keys(outputs).toSorted()).toEqual(['AlarmTopic', 'ApiUrl', 'Dashboard', 'OperatorKeySecret']);
    expect(outputs.OperatorKeySecret.Value).toEqual({ Ref: expect.stringMatching(/^keyringoperatorkey/) });
  });
});

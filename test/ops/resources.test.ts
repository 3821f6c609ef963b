import { describe, expect, it } from 'vitest';
import { resourcesIn } from '../../ops/resources.ts';
import { synthesise } from '../helpers/synthesised.ts';

const listed = Object.entries(synthesise().toJSON().Resources as Record<string, { Type: string }>).map(
  ([logicalId, { Type }]) => ({ logicalId, type: Type, physicalId: `physical ${logicalId}` }),
);

describe('the resources that the commands work with', () => {
  it('are found in the stack as it is deployed, each another', () => {
    const found = Object.values(resourcesIn('passpost-test', listed));

    expect(found.every((id) => id.startsWith('physical '))).toBe(true);
    expect(new Set(found).size).toBe(9);
  });

  it('are named where the stack has them not', () => {
    const without = listed.filter(({ logicalId }) => !logicalId.startsWith('deliverydeadletters'));

    expect(() => resourcesIn('passpost-test', without)).toThrow(
      'The stack passpost-test has no delivery/dead-letters: was it deployed from this version?',
    );
  });
});

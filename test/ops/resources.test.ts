import { describe, expect, it } from 'vitest';
import { resourcesIn } from '../../ops/resources.ts';
import { synthesise } from '../helpers/synthesised.ts';

const listed = Object.entries(synthesise().toJSON().Resources as Record<string, { Type: string }>).map(
  ([logicalId, { Type }]) => ({ logicalId, type: Type, physicalId: `physical ${logicalId}` }),
);

describe('the resources that the commands work with', () => {
  it('are all found in the synthesised stack, each with its own physical id', () => {
    const ids = Object.values(resourcesIn('passpost-test', listed));

    expect(ids.every((id) => id.startsWith('physical '))).toBe(true);
    expect(new Set(ids).size).toBe(9);
  });

  it('are named in the error when the stack lacks one', () => {
    const without = listed.filter(({ logicalId }) => !logicalId.startsWith('deliverydeadletters'));

    expect(() => resourcesIn('passpost-test', without)).toThrow(
      'The stack passpost-test has no delivery/dead-letters: was it deployed from this version?',
    );
  });
});

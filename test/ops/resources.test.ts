import { describe, expect, it } from 'vitest';
import { resourcesIn } from '../../ops/resources.ts';
import { synthesise } from '../helpers/synthesised.ts';

const listed = Object.entries(synthesise().toJSON().Resources as Record<string, { Type: string }>).map(
  ([logicalId, { Type }]) => ({ logicalId, type: Type, physicalId: `physical ${logicalId}` }),
);

describe('resourcesIn, the resources that npm run ops works with', () => {
  it('finds the eleven resources in the synthesised stack, each with a different physical id', () => {
    const ids = Object.values(resourcesIn('passpost-test', listed));

    expect(ids.every((id) => id.startsWith('physical '))).toBe(true);
    expect(new Set(ids).size).toBe(11);
  });

  it('throws an error that names delivery/dead-letters when the stack lacks that queue', () => {
    const without = listed.filter(({ logicalId }) => !logicalId.startsWith('deliverydeadletters'));

    expect(() => resourcesIn('passpost-test', without)).toThrow(
      'The stack passpost-test has no delivery/dead-letters: was it deployed from this version?',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { createResolver } from '../../../local/template/intrinsics.ts';

const resolve = createResolver('sample', {
  ref: (id) => `ref-${id}`,
  attribute: (id, name) => `${id}-${name}`,
});

describe('the resolver of a template’s intrinsic functions', () => {
  it.each([
    ['Ref of a resource', { Ref: 'Table' }, 'ref-Table'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Fn::GetAtt with a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Queue-Arn'],
    ['Fn::GetAtt with text', { 'Fn::GetAtt': 'Queue.Arn' }, 'Queue-Arn'],
    ['Fn::Join', { 'Fn::Join': ['/', ['a', { Ref: 'B' }, { Ref: 'AWS::Partition' }]] }, 'a/ref-B/aws'],
    [
      'Fn::Sub',
      { 'Fn::Sub': `x-\${AWS::AccountId}-\${Q.Arn}-\${B}-\${!Literal}` },
      `x-000000000000-Q-Arn-ref-B-\${Literal}`,
    ],
    ['Fn::Sub with a variable map', { 'Fn::Sub': [`\${a}!`, { a: { Ref: 'C' } }] }, 'ref-C!'],
    ['Fn::Select of Fn::Split', { 'Fn::Select': ['1', { 'Fn::Split': ['-', { Ref: 'D' }] }] }, 'D'],
    [
      'a nested Ref and removes AWS::NoValue',
      { a: [{ b: { Ref: 'E' } }, { Ref: 'AWS::NoValue' }] },
      { a: [{ b: 'ref-E' }] },
    ],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it('throws on the unsupported function Fn::Cidr and names that function', () => {
    expect(() => resolve({ 'Fn::Cidr': [] })).toThrow('Fn::Cidr');
  });
});

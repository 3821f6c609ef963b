import { describe, expect, it } from 'vitest';
import { createResolver } from '../../../local/template/intrinsics.ts';

const resolve = createResolver('sample', {
  ref: (id) => `ref-${id}`,
  attribute: (id, name) => `${id}-${name}`,
});

describe('the template’s intrinsic functions', () => {
  it.each([
    ['Ref', { Ref: 'Table' }, 'ref-Table'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['GetAtt', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Queue-Arn'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Queue.Arn' }, 'Queue-Arn'],
    ['Join', { 'Fn::Join': ['/', ['a', { Ref: 'B' }, { Ref: 'AWS::Partition' }]] }, 'a/ref-B/aws'],
    [
      'Sub',
      { 'Fn::Sub': `x-\${AWS::AccountId}-\${Q.Arn}-\${B}-\${!Literal}` },
      `x-000000000000-Q-Arn-ref-B-\${Literal}`,
    ],
    ['Sub with a variable map', { 'Fn::Sub': [`\${a}!`, { a: { Ref: 'C' } }] }, 'ref-C!'],
    ['Select and Split', { 'Fn::Select': ['1', { 'Fn::Split': ['-', { Ref: 'D' }] }] }, 'D'],
    ['nested values and AWS::NoValue', { a: [{ b: { Ref: 'E' } }, { Ref: 'AWS::NoValue' }] }, { a: [{ b: 'ref-E' }] }],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it('throws on an unknown function', () => {
    expect(() => resolve({ 'Fn::Cidr': [] })).toThrow('Fn::Cidr');
  });
});

import { describe, expect, test } from 'vitest';
import {
  actionsOf,
  functionNames,
  named,
  nameOf,
  resourcesOf,
  resourcesOfType,
  statementsOf,
  synthesise,
} from '../helpers/synthesised.ts';

describe('egress network', () => {
  const template = synthesise({ egressAddresses: '2', stage: 'production' });

  test('holds the deliver function and no other', () => {
    const inside = functionNames(template).filter(
      (name) => named(template, 'AWS::Lambda::Function', name).Properties.VpcConfig !== undefined,
    );

    expect(inside).toEqual(['deliver']);
    expect(
      functionNames(template).filter((name) => actionsOf(template, name).some((a) => a.startsWith('ec2:'))),
    ).toEqual(inside);
  });

  // The role's permissions are Lambda's, to make interfaces by; the code that runs under it got them too.
  test("keeps from the function's code what only Lambda needs", () => {
    const allowed = actionsOf(template, 'deliver').filter((action) => action.startsWith('ec2:'));
    const denials = statementsOf(template, 'deliver').filter(({ Effect }) => Effect === 'Deny');

    expect(allowed).toContain('ec2:CreateNetworkInterface');
    expect(denials).toHaveLength(1);
    expect(denials[0]?.Action).toEqual(expect.arrayContaining([...allowed]));
    const itsArn = { 'Fn::GetAtt': [expect.stringMatching(/^deliverydeliver[0-9A-F]{8}$/), 'Arn'] };
    expect(denials[0]).toMatchObject({
      Resource: '*',
      Condition: { ArnEquals: { 'lambda:SourceFunctionArn': itsArn } },
    });
  });

  // With the permission gone first, interfaces stayed, and with them what they are in.
  test('lets Lambda remove the interfaces until what they are in is gone', () => {
    const policy = Object.entries(resourcesOf(template)).find(([, resource]) => nameOf(resource) === 'interfaces')?.[0];
    const held = [
      ...resourcesOfType(template, 'AWS::EC2::SecurityGroup'),
      ...resourcesOfType(template, 'AWS::EC2::Subnet').filter(({ Metadata }) =>
        Metadata['aws:cdk:path'].includes('deliverSubnet'),
      ),
    ];

    expect(policy).toBeDefined();
    expect(held).toHaveLength(3);
    for (const { DependsOn } of held) expect(DependsOn).toContain(policy);
  });

  test('leaves by one kept address per zone, told in an output', () => {
    const addresses = resourcesOfType(template, 'AWS::EC2::EIP');

    expect(addresses.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(['Retain', 'Retain']);
    expect(resourcesOfType(template, 'AWS::EC2::NatGateway')).toHaveLength(2);
    expect(JSON.stringify(template.toJSON().Outputs.EgressAddresses.Value).match(/PublicIp/g)).toHaveLength(2);
  });

  test('lets nothing in, and out only to the ports that webhooks may name', () => {
    const groups = resourcesOfType(template, 'AWS::EC2::SecurityGroup').map(({ Properties }) => Properties);

    expect(groups).toHaveLength(1);
    expect(groups[0]).not.toHaveProperty('SecurityGroupIngress');
    expect(groups[0]?.SecurityGroupEgress).toMatchObject([{ FromPort: 80 }, { FromPort: 443 }, { FromPort: 8443 }]);
  });

  test('reaches the tables without the gateway that is paid by the gigabyte', () => {
    const [endpoint, ...more] = resourcesOfType(template, 'AWS::EC2::VPCEndpoint');

    expect(more).toEqual([]);
    expect(endpoint?.Properties.VpcEndpointType).toBe('Gateway');
  });

  test('is not there unless asked for', () => {
    expect(resourcesOfType(synthesise(), 'AWS::EC2::VPC')).toEqual([]);
  });
});

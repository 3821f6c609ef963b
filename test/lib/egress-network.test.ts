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

  test('contains only the deliver function', () => {
    const inside = functionNames(template).filter(
      (name) => named(template, 'AWS::Lambda::Function', name).Properties.VpcConfig !== undefined,
    );

    expect(inside).toEqual(['deliver']);
    expect(
      functionNames(template).filter((name) => actionsOf(template, name).some((a) => a.startsWith('ec2:'))),
    ).toEqual(inside);
  });

  // Lambda needs the role's permissions to create interfaces, and the function's code would get them, too.
  test("denies the function's own code the permissions that only Lambda needs", () => {
    const allowed = actionsOf(template, 'deliver').filter((action) => action.startsWith('ec2:'));
    const denials = statementsOf(template, 'deliver').filter(({ Effect }) => Effect === 'Deny');

    expect(allowed).toContain('ec2:CreateNetworkInterface');
    expect(denials).toHaveLength(1);
    expect(denials[0]?.Action).toEqual(expect.arrayContaining([...allowed]));
    const functionArn = { 'Fn::GetAtt': [expect.stringMatching(/^deliverydeliver[0-9A-F]{8}$/), 'Arn'] };
    expect(denials[0]).toMatchObject({
      Resource: '*',
      Condition: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
    });
  });

  // With the policy deleted first, Lambda could not delete the interfaces, and the stack could not delete the subnets.
  test('the policy for the interfaces is deleted after the subnets and the security group', () => {
    const policy = Object.entries(resourcesOf(template)).find(([, resource]) => nameOf(resource) === 'interfaces')?.[0];
    const interfaceHosts = [
      ...resourcesOfType(template, 'AWS::EC2::SecurityGroup'),
      ...resourcesOfType(template, 'AWS::EC2::Subnet').filter(({ Metadata }) =>
        Metadata['aws:cdk:path'].includes('deliverSubnet'),
      ),
    ];

    expect(policy).toBeDefined();
    expect(interfaceHosts).toHaveLength(3);
    for (const { DependsOn } of interfaceHosts) expect(DependsOn).toContain(policy);
  });

  test('has one retained address per zone and shows all addresses in an output', () => {
    const addresses = resourcesOfType(template, 'AWS::EC2::EIP');

    expect(addresses.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(['Retain', 'Retain']);
    expect(resourcesOfType(template, 'AWS::EC2::NatGateway')).toHaveLength(2);
    expect(JSON.stringify(template.toJSON().Outputs.EgressAddresses.Value).match(/PublicIp/g)).toHaveLength(2);
  });

  test('allows no inbound connections, and outbound ones only to the ports that webhooks may name', () => {
    const groups = resourcesOfType(template, 'AWS::EC2::SecurityGroup').map(({ Properties }) => Properties);

    expect(groups).toHaveLength(1);
    expect(groups[0]).not.toHaveProperty('SecurityGroupIngress');
    expect(groups[0]?.SecurityGroupEgress).toMatchObject([{ FromPort: 80 }, { FromPort: 443 }, { FromPort: 8443 }]);
  });

  test('reaches the tables through a free gateway endpoint instead of the NAT gateway', () => {
    const [endpoint, ...more] = resourcesOfType(template, 'AWS::EC2::VPCEndpoint');

    expect(more).toEqual([]);
    expect(endpoint?.Properties.VpcEndpointType).toBe('Gateway');
  });

  test('does not exist without the setting egressAddresses', () => {
    expect(resourcesOfType(synthesise(), 'AWS::EC2::VPC')).toEqual([]);
  });
});

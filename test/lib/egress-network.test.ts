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

describe('the egress network construct (egressAddresses=2)', () => {
  const template = synthesise({ egressAddresses: '2', stage: 'production' });

  test('only the deliver function has a VpcConfig, and only its role allows ec2: actions', () => {
    const inside = functionNames(template).filter(
      (name) => named(template, 'AWS::Lambda::Function', name).Properties.VpcConfig !== undefined,
    );

    expect(inside).toEqual(['deliver']);
    expect(
      functionNames(template).filter((name) => actionsOf(template, name).some((a) => a.startsWith('ec2:'))),
    ).toEqual(inside);
  });

  // Lambda needs the role's permissions to create interfaces, and the function's code would get them, too.
  test("one statement denies the deliver function's own code every ec2: action that its role allows", () => {
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

  // If the policy were deleted first, Lambda could not delete the interfaces, and CloudFormation could not delete the subnets.
  test('the security group and both deliver subnets depend on the IAM policy for network interfaces', () => {
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

  test('has two retained Elastic IP addresses, two NAT gateways, and both addresses in the output EgressAddresses', () => {
    const addresses = resourcesOfType(template, 'AWS::EC2::EIP');

    expect(addresses.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual([
      'RetainExceptOnCreate',
      'RetainExceptOnCreate',
    ]);
    expect(resourcesOfType(template, 'AWS::EC2::NatGateway')).toHaveLength(2);
    expect(JSON.stringify(template.toJSON().Outputs.EgressAddresses.Value).match(/PublicIp/g)).toHaveLength(2);
  });

  test('has one security group, with no inbound rule and with outbound rules for the ports 80, 443 and 8443 only', () => {
    const groups = resourcesOfType(template, 'AWS::EC2::SecurityGroup').map(({ Properties }) => Properties);

    expect(groups).toHaveLength(1);
    expect(groups[0]).not.toHaveProperty('SecurityGroupIngress');
    expect(groups[0]?.SecurityGroupEgress).toMatchObject([{ FromPort: 80 }, { FromPort: 443 }, { FromPort: 8443 }]);
  });

  test('has exactly one VPC endpoint, of the type Gateway', () => {
    const [endpoint, ...more] = resourcesOfType(template, 'AWS::EC2::VPCEndpoint');

    expect(more).toEqual([]);
    expect(endpoint?.Properties.VpcEndpointType).toBe('Gateway');
  });

  test('without the setting egressAddresses, the template has no VPC', () => {
    expect(resourcesOfType(synthesise(), 'AWS::EC2::VPC')).toEqual([]);
  });
});

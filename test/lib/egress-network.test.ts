import { describe, expect, test } from 'vitest';
import { actionsOf, functionNames, named, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

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

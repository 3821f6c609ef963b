import {
  CfnEIP,
  GatewayVpcEndpointAwsService,
  type IVpc,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Effect, Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { FunctionOptions, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnOutput, Validations } from 'aws-cdk-lib/core';
import { Construct, type IConstruct } from 'constructs';
import { removalPolicy } from './removal-policy.ts';
import type { StageConfig } from './stage-config.ts';

/** The ports that a webhook's URL may name. AWS's own APIs use 443, too. */
const ports = [80, 443, 8443];

/** The actions that Lambda needs in the role of a function in a VPC. https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
const lambdaNeeds = [
  'AssignPrivateIpAddresses',
  'CreateNetworkInterface',
  'DeleteNetworkInterface',
  'DescribeNetworkInterfaces',
  'DescribeSubnets',
  'UnassignPrivateIpAddresses',
].map((name) => `ec2:${name}`);

/** A VPC with fixed egress addresses: one NAT gateway with one Elastic IP address in each zone. */
export class EgressNetwork extends Construct {
  readonly placement: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
  /**
   * The security group and the private subnets of the deliver function. CloudFormation cannot delete them while they
   * contain a network interface.
   */
  private readonly interfaceHosts: readonly IConstruct[];

  constructor(scope: Construct, id: string, stage: StageConfig & { readonly egressAddresses: number }) {
    super(scope, id);
    const addresses = Array.from({ length: stage.egressAddresses }, (_, index) => {
      const address = new CfnEIP(this, `address-${index + 1}`, { domain: 'vpc' });
      // Receivers list the address in their firewalls, so a stage that retains its tables also retains the address.
      address.applyRemovalPolicy(removalPolicy(stage));
      return address;
    });
    const vpc: IVpc = new Vpc(this, 'vpc', {
      maxAzs: addresses.length,
      natGateways: addresses.length,
      natGatewayProvider: NatProvider.gateway({
        eipAllocationIds: addresses.map((address) => address.attrAllocationId),
      }),
      subnetConfiguration: [
        { name: 'out', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        { name: 'deliver', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
      // The gateway endpoint is free and keeps table traffic off the NAT gateway's bill. SQS, Secrets Manager and X-Ray use the
      // NAT gateway: one gigabyte per million deliveries, while an interface endpoint costs $7.30 a month per service and zone.
      gatewayEndpoints: { dynamodb: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
      // Leaves the default security group as it is, because nothing uses it. To empty it, the CDK would deploy an extra
      // function.
      restrictDefaultSecurityGroup: false,
    }) as IVpc;
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'Only one function sends from this network, and nothing connects into it. Its own log and the stored attempts show what it sent, where and with what result. A flow log would show less and cost $0.50 a gigabyte.',
    });
    const group = new SecurityGroup(this, 'group', {
      vpc,
      description: 'PassPost deliver function: out to webhooks and AWS, nothing in',
      allowAllOutbound: false,
    });
    for (const port of ports) group.addEgressRule(Peer.anyIpv4(), Port.tcp(port));
    this.placement = { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS }, securityGroups: [group] };
    this.interfaceHosts = [group, ...vpc.privateSubnets];
    new CfnOutput(this, 'addresses', {
      value: addresses.map((address) => address.attrPublicIp).join(','),
      description: 'Addresses that webhooks are sent from',
    }).overrideLogicalId('EgressAddresses');
  }

  /** Lets Lambda create and delete the network interfaces of a function with this role. Call it before creating the function. */
  admit(role: Role): void {
    const policy = new Policy(this, 'interfaces', {
      roles: [role],
      statements: [new PolicyStatement({ actions: lambdaNeeds, resources: ['*'] })],
    });
    Validations.of(policy).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        "Lambda creates the interfaces itself, so their names are unknown; the function's own code is denied these actions.",
    });
    // Lambda deletes a function's network interfaces minutes after the function, with the permissions of this policy.
    // So the policy is deleted only after the security group and the subnets, whose deletion waits for the interfaces.
    for (const host of this.interfaceHosts) host.node.addDependency(policy);
  }

  /** Denies the function's own code the actions that only Lambda needs. */
  denyCode(fn: LambdaFunction, role: Role): void {
    new Policy(this, 'code', {
      roles: [role],
      statements: [
        new PolicyStatement({
          effect: Effect.DENY,
          actions: [...lambdaNeeds, 'ec2:DetachNetworkInterface'],
          resources: ['*'],
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': fn.functionArn } },
        }),
      ],
    });
  }
}

/** Creates the network of the function deliver, or returns `undefined` if the stage has no fixed addresses. */
export const egressNetwork = (scope: Construct, stage: StageConfig): EgressNetwork | undefined => {
  const { egressAddresses } = stage;
  return egressAddresses === null ? undefined : new EgressNetwork(scope, 'egress', { ...stage, egressAddresses });
};

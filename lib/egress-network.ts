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
import { CfnOutput, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct, type IConstruct } from 'constructs';
import type { StageConfig } from './stage-config.ts';

/** What a webhook's URL may name; the function needs nothing else but the table's own way. */
const ports = [80, 443, 8443];

/** What Lambda asks of the role of a function in a network. https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
const lambdaNeeds = [
  'AssignPrivateIpAddresses',
  'CreateNetworkInterface',
  'DeleteNetworkInterface',
  'DescribeNetworkInterfaces',
  'DescribeSubnets',
  'UnassignPrivateIpAddresses',
].map((name) => `ec2:${name}`);

/** A network whose way out has fixed addresses: in each zone a NAT gateway with one of them. */
export class EgressNetwork extends Construct {
  readonly placement: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
  /** What cannot be deleted while an interface is in it. */
  private readonly held: readonly IConstruct[];

  constructor(scope: Construct, id: string, stage: StageConfig & { readonly egressAddresses: number }) {
    super(scope, id);
    const addresses = Array.from({ length: stage.egressAddresses }, (_, index) => {
      const address = new CfnEIP(this, `address-${index + 1}`, { domain: 'vpc' });
      // Receivers have let it in by name: it outlives the stack where tables do.
      address.applyRemovalPolicy(stage.retainsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY);
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
      // Costs nothing and keeps what is read and written off the NAT gateway's bill. SQS, Secrets Manager and X-Ray go
      // through it: a gigabyte per million deliveries, where an interface endpoint costs $7.30 a month, service and zone.
      gatewayEndpoints: { dynamodb: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
      // Nothing is in the default group; to empty it the CDK would bring a function of its own.
      restrictDefaultSecurityGroup: false,
    }) as IVpc;
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'One function sends from here and nothing comes in; what it sent, where and with what outcome stands in its own log and in every attempt. A flow log would say less and cost $0.50 a gigabyte.',
    });
    const group = new SecurityGroup(this, 'group', {
      vpc,
      description: 'PassPost deliver function: out to webhooks and AWS, nothing in',
      allowAllOutbound: false,
    });
    for (const port of ports) group.addEgressRule(Peer.anyIpv4(), Port.tcp(port));
    this.placement = { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS }, securityGroups: [group] };
    this.held = [group, ...vpc.privateSubnets];
    new CfnOutput(this, 'addresses', {
      value: addresses.map((address) => address.attrPublicIp).join(','),
      description: 'Where webhooks come from',
    }).overrideLogicalId('EgressAddresses');
  }

  /** Lets Lambda make and remove the interfaces of a function with this role; to be called before the function is made. */
  admit(role: Role): void {
    const policy = new Policy(this, 'interfaces', {
      roles: [role],
      statements: [new PolicyStatement({ actions: lambdaNeeds, resources: ['*'] })],
    });
    Validations.of(policy).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Lambda makes and names the interfaces itself; the code that runs under the role is denied all of it.',
    });
    // Lambda gives interfaces back minutes after the function has left, by the role: what they are in goes first.
    for (const one of this.held) one.node.addDependency(policy);
  }

  /** Keeps from the function's own code what only Lambda needs. */
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

/** Only where the stage asks for fixed addresses; no other function sends to strangers. */
export const egressNetwork = (scope: Construct, stage: StageConfig): EgressNetwork | undefined => {
  const { egressAddresses } = stage;
  return egressAddresses === null ? undefined : new EgressNetwork(scope, 'egress', { ...stage, egressAddresses });
};

import { describe, expect, it } from 'vitest';
import { synthesiseIfStale } from '../../../local/cli/synth.ts';
import { startGateway } from '../../../local/gateway/gateway.ts';
import { createRouteTable } from '../../../local/gateway/routes.ts';
import { createThrottle } from '../../../local/gateway/throttle.ts';
import { readAssembly } from '../../../local/template/template.ts';
import { stageThrottle } from '../../../local/wiring/api-routes.ts';

describe("the throttle of the API's stage", () => {
  it('with 100 requests a second and bursts of 50 admits 50 of 80 simultaneous requests, and 10 more after 100 ms', () => {
    let nowMs = 0;
    const admits = createThrottle({ ratePerSecond: 100, burst: 50 }, () => nowMs);
    const admittedOf = (count: number) => Array.from({ length: count }, () => admits()).filter(Boolean).length;

    const atFirst = admittedOf(80);
    nowMs = 100;

    expect([atFirst, admittedOf(80)]).toEqual([50, 10]);
  });

  it('that refuses makes the local gateway answer 429 with Too Many Requests, and the function is not invoked', async () => {
    const gateway = await startGateway(0);
    let invocations = 0;
    const target = { functionName: 'api', authorizer: undefined, mayInvoke: () => true };
    const invoke = async () => {
      invocations++;
      return { ok: true as const, payload: {} };
    };
    gateway.open(createRouteTable([{ key: '$default', target }]), invoke, () => false);

    const response = await fetch(`${gateway.url}/tasks`, { method: 'POST', body: '{}' });
    const body = await response.json();
    await gateway.stop();

    expect([response.status, body, invocations]).toEqual([429, { message: 'Too Many Requests' }, 0]);
  });

  it('of the synthesised template admits its apiBurstLimit of 500 simultaneous requests and refuses the next', async () => {
    const admits = stageThrottle(readAssembly(await synthesiseIfStale()), (value) => value);

    const results = Array.from({ length: 600 }, admits);

    expect(results.slice(0, 500).every(Boolean)).toBe(true);
    expect(results.slice(500).filter(Boolean).length).toBeLessThan(50);
  });
});

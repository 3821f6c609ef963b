import { describe, expect, it, vi } from 'vitest';
import { customResourceHandler, SETTLING_MS } from '../../lambdas/runtime/custom-resource.ts';
import { useResponseUrl } from '../helpers/response-url.ts';

describe('a custom resource handler', () => {
  const address = useResponseUrl();
  /** A clock that moves only while the handler waits; it begins again at 0 for each test. */
  const virtualWaiting = () => {
    let nowMs = 0;
    return {
      clock: () => nowMs,
      pause: async (ms: number): Promise<void> => {
        nowMs += ms;
      },
    };
  };
  const denied = () => Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  const request = (RequestType: string, more: object = {}) => ({
    RequestType,
    ResponseURL: address.url,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'filled',
    ResourceType: 'Custom::Thing',
    ResourceProperties: {},
    ...more,
  });

  it('performs the work at Create and PUTs SUCCESS without data to the response URL', async () => {
    const perform = vi.fn(async () => {});

    await customResourceHandler(perform)(request('Create'));

    expect(perform).toHaveBeenCalledOnce();
    expect(address.puts).toHaveLength(1);
    expect(address.puts[0]?.method).toBe('PUT');
    expect(address.puts[0]?.headers['content-type'] ?? '').toBe('');
    expect(address.puts[0]?.headers['content-length']).toMatch(/^\d+$/);
    expect(address.puts[0]?.body).toEqual({
      Status: 'SUCCESS',
      StackId: 'stack',
      RequestId: 'request',
      LogicalResourceId: 'filled',
      PhysicalResourceId: 'filled',
      NoEcho: true,
      Data: {},
    });
  });

  it('performs the work at Update and answers SUCCESS with the PhysicalResourceId of the request', async () => {
    const perform = vi.fn(async () => {});

    await customResourceHandler(perform)(request('Update', { PhysicalResourceId: 'known' }));

    expect(perform).toHaveBeenCalledOnce();
    expect(address.puts[0]?.body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'known' });
  });

  it('does not perform the work at Delete and answers SUCCESS with the PhysicalResourceId of the request', async () => {
    const perform = vi.fn(async () => {});

    await customResourceHandler(perform)(request('Delete', { PhysicalResourceId: 'known' }));

    expect(perform).not.toHaveBeenCalled();
    expect(address.puts[0]?.body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'known' });
  });

  it('answers FAILED and logs RangeError if the work throws it; neither answer nor log contains the message of the error', async () => {
    const perform = () => Promise.reject(new RangeError('pp_live_secret\n at pp_live_secret'));
    const written: string[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);

    await customResourceHandler(perform)(request('Create'));
    spy.mockRestore();

    expect(address.puts[0]?.body).toMatchObject({ Status: 'FAILED', Reason: "RangeError: see the function's log." });
    expect(written.join()).toContain('RangeError');
    expect(JSON.stringify([address.puts, written])).not.toContain('pp_live_secret');
  });

  // IAM takes a while until a new role has its permissions. A first production deployment that failed for this reason
  // left a stack that nobody could deploy over.
  it('performs the work again while AWS denies it for 60 seconds, and answers SUCCESS once', async () => {
    const waiting = virtualWaiting();
    const perform = vi.fn(async () => {
      if (waiting.clock() < 60_000) throw denied();
    });

    await customResourceHandler(perform, waiting)(request('Create'));

    expect(address.puts.map(({ body }) => body)).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
    expect(perform.mock.calls.length).toBeGreaterThan(5);
    expect(waiting.clock()).toBeLessThan(75_000);
  });

  it('answers FAILED with AccessDeniedException if AWS denies the work for ever, after waiting at most SETTLING_MS', async () => {
    const waiting = virtualWaiting();

    await customResourceHandler(() => Promise.reject(denied()), waiting)(request('Create'));

    expect(address.puts[0]?.body).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/^AccessDenied/) });
    expect(waiting.clock()).toBeGreaterThan(SETTLING_MS - 15_000);
    expect(waiting.clock()).toBeLessThanOrEqual(SETTLING_MS);
  });

  it('does not repeat the work after an error other than AccessDenied', async () => {
    const perform = vi.fn(() => Promise.reject(new RangeError('no')));

    await customResourceHandler(perform, virtualWaiting())(request('Create'));

    expect(perform).toHaveBeenCalledOnce();
    expect(address.puts[0]?.body).toMatchObject({ Status: 'FAILED' });
  });

  it('sends the answer a third time after CloudFormation refused it twice, and performs the work once', async () => {
    const perform = vi.fn(async () => {});
    address.refusals = 2;

    await customResourceHandler(perform, virtualWaiting())(request('Create'));

    expect(perform).toHaveBeenCalledOnce();
    expect(address.puts).toHaveLength(3);
  });

  it('throws after its answer was refused five times with 503, so that Lambda retries the invocation', async () => {
    address.refusals = 100;

    await expect(customResourceHandler(async () => {}, virtualWaiting())(request('Create'))).rejects.toThrow(
      'answered 503',
    );

    expect(address.puts).toHaveLength(5);
  });
});

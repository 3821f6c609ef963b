import { describe, expect, it } from 'vitest';
import { isSignedWith } from '../../../local/cli/listen.ts';

// The example of requirement PP-6.
const body = Buffer.from('{"type":"task.accepted","id":"tsk_1"}');
const signature = 'sha256=4c5778fe139461a50ed7f5fc96328a7af72180c5af252b3820a2b73c67cf6eb3';

describe('isSignedWith, the signature check of npm run listen', () => {
  it('returns true for the body and the signature of the example in PP-6', () => {
    expect(isSignedWith('pp_whs_test', body, signature)).toBe(true);
  });

  it.each([
    ['a signature with another secret', 'pp_whs_other', body, signature],
    ['a body with a changed byte', 'pp_whs_test', Buffer.from('{"type":"task.accepted","id":"tsk_2"}'), signature],
    ['a signature header that is too short', 'pp_whs_test', body, 'sha256=4c57'],
    ['a missing signature header', 'pp_whs_test', body, undefined],
  ])('returns false for %s', (_, secret, bytes, header) => {
    expect(isSignedWith(secret, bytes, header)).toBe(false);
  });
});

import t from 'tap';
import { isFollowerWanted } from '../../../../src/control/binlog/follower-demand.ts';
import { MADE_CACHE_RULE } from '../../../support/made-cache-settings.ts';

const RULE = MADE_CACHE_RULE;

function wanted(
  mode: 'auto' | 'on' | 'off',
  more: object = {},
  attributes: string[] = [],
  hinted = false,
): boolean {
  const follower = { mode, serverId: null, maxLagMs: 500 };
  const queryRules = attributes.map((text) => ({ active: true, attributes: text }));
  return isFollowerWanted({ enabled: true, auto: 'off', follower, rules: [], ...more }, queryRules, hinted);
}

t.test('the follower runs while somebody relies on it', async (t) => {
  const strong = '{"cache":{"class":"strong"}}';
  t.equal(wanted('auto'), false, 'nothing is cached');
  t.equal(wanted('on'), true);
  t.equal(wanted('on', { enabled: false }), false);
  t.equal(wanted('auto', { auto: 'strong' }), true);
  t.equal(wanted('off', { auto: 'strong' }), false);
  t.equal(wanted('auto', { rules: [RULE] }), true);
  t.equal(wanted('auto', { rules: [{ ...RULE, active: false }] }), false);
  t.equal(wanted('auto', { rules: [{ ...RULE, class: 'weak', ttlMs: 5 }] }), false);
  t.equal(wanted('auto', {}, [strong]), true);
  t.equal(wanted('auto', {}, ['', '{"cache":{"ttl_ms":5}}', '{"x":{"class":"strong"}}', 'no json']), false);
  t.equal(wanted('auto', {}, [], true), true, 'a hint');
  t.equal(wanted('off', { rules: [RULE] }, [strong], true), false);
});

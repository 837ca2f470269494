import t from 'tap';
import { KnownPrimary } from '../../../../src/control/failover/known-primary.ts';

t.test('another primary is noticed once, and a gap between two is none', (t) => {
  const known = new KnownPrimary();
  t.equal(known.see({ primary: null }), null);
  t.equal(known.address, null);
  t.strictSame(known.see({ primary: 'a:1' }), { from: null, to: 'a:1' });
  t.equal(known.see({ primary: 'a:1' }), null);
  t.equal(known.see({ primary: null }), null);
  t.equal(known.address, 'a:1');
  t.equal(known.see({ primary: 'a:1' }), null, 'it has come back');
  t.strictSame(known.see({ primary: 'b:1' }), { from: 'a:1', to: 'b:1' });
  t.end();
});

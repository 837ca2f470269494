/** Where a `traceparent` is looked for, and where not. */
import t from 'tap';
import { traceParentOf } from '../../../src/sql/trace-parent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const VALUE = `00-${TRACE}-${SPAN}-01`;
const FOUND = { traceId: TRACE, spanId: SPAN, sampled: true };

/** In the middle of a larger buffer, as it comes. */
function find(text: string) {
  const before = Buffer.from(`/*traceparent='00-${'1'.repeat(32)}-${'2'.repeat(16)}-01'*/`);
  const statement = Buffer.from(text, 'latin1');
  const buffer = Buffer.concat([before, statement, before]);
  return traceParentOf(buffer, before.length, before.length + statement.length);
}

const WITH: readonly string[] = [
  `SELECT 1 /*traceparent='${VALUE}'*/`,
  `SELECT 1 /*traceparent='${VALUE}'*/;`,
  `SELECT 1 /* traceparent='${VALUE}' */ ; \n`,
  `SELECT 1 /*action='%2Fparam*d',controller='index,',traceparent='${VALUE}',tracestate='congo%3Dt61rcWkgMzE'*/`,
  `SELECT 1 /*db_driver='x', traceparent = '${VALUE}'*/`,
  `SELECT 1 /* traceparent=${VALUE} */`,
  `SELECT 1 /* traceparent: ${VALUE}, other: 1 */`,
  `/*traceparent='${VALUE}'*/ SELECT 1`,
  ` \t/* traceparent='${VALUE}' */\nSELECT '*/'`,
  `SELECT '/*' /*traceparent='${VALUE}'*/`,
  `/* a */ SELECT 1 /*traceparent='${VALUE}'*/`,
  `/*traceparent='${VALUE}'*/ SELECT 1 /* b */`,
  `SELECT 1 /*traceparent='01-${TRACE}-${SPAN}-01'*/`,
  `SELECT 1 /*traceparent='00-${TRACE}-${SPAN}-03'*/`,
];
for (const text of WITH) t.test(`found: ${text}`, async (t) => t.strictSame(find(text), FOUND));

const WITHOUT: readonly string[] = [
  '',
  'SELECT 1',
  'SELECT traceparent FROM t',
  `SELECT '/*traceparent="${VALUE}"*/'`,
  `SELECT '/*traceparent=${VALUE}*/' FROM t`,
  `INSERT INTO t VALUES ('/*traceparent=${VALUE}*/ x')`,
  `SELECT 1 /*traceparent='${VALUE}'*/ FROM t`,
  `SELECT 1 /*! traceparent='${VALUE}' */`,
  `/*M! traceparent='${VALUE}' */ SELECT 1`,
  `SELECT 1 -- traceparent='${VALUE}'`,
  `SELECT 1 /*traceparent='${VALUE}'`,
  `traceparent='${VALUE}'*/`,
  `SELECT 1 /*xtraceparent='${VALUE}'*/`,
  `SELECT 1 /*traceparent='00-${TRACE}-${SPAN}'*/`,
  `SELECT 1 /*traceparent='${VALUE}00'*/`,
  `SELECT 1 /*traceparent='ff-${TRACE}-${SPAN}-01'*/`,
  `SELECT 1 /*traceparent='00-${'0'.repeat(32)}-${SPAN}-01'*/`,
  `SELECT 1 /*traceparent='00-${TRACE}-${'0'.repeat(16)}-01'*/`,
  `SELECT 1 /*traceparent='00-${TRACE.toUpperCase()}-${SPAN}-01'*/`,
  `SELECT 1 /*${' '.repeat(5000)}traceparent='${VALUE}'*/`,
  '/*/traceparent',
  '*/traceparent',
];
for (const text of WITHOUT)
  t.test(`not found: ${text.slice(0, 100)}`, async (t) => t.equal(find(text), null));

t.test('not sampled', async (t) => {
  t.strictSame(find(`SELECT 1 /*traceparent='00-${TRACE}-${SPAN}-00'*/`), { ...FOUND, sampled: false });
});

t.test('cut off anywhere it is found no more, and nothing is read beyond', async (t) => {
  const whole = `SELECT 1 /*traceparent='${VALUE}'*/`;
  for (let length = 0; length < whole.length; length++) t.equal(find(whole.slice(0, length)), null);
});

/** GTIDs as servers report them and clients name them, in the session state of OK packets too. */

import t from 'tap';
import { encodeSessionState, type SessionStateChange, SessionTrackType } from '../../../../protocol/index.ts';
import { type GtidSource, gtidPosition } from '../../../../src/common/gtid-position.ts';
import { FOREIGN_GTID, GtidSources, NO_GTID } from '../../../../src/data/causal/gtid-sources.ts';
import { reportedGtid } from '../../../../src/data/causal/reported-gtid.ts';
import { executedSequence, waitStatement } from '../../../../src/data/causal/wait-statement.ts';

const A = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa';
const B = 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb';

const mysql = (index: number, uuid: string, base: bigint, end: bigint | null = null): GtidSource => ({
  index,
  base,
  end,
  address: 'p:1',
  prefix: `${uuid}:`,
  flavor: 'mysql',
});
const mariadb = (index: number, server: number, base: bigint, end: bigint | null = null): GtidSource => ({
  index,
  base,
  end,
  address: 'p:1',
  prefix: `0-${server}-`,
  flavor: 'mariadb',
});

function sourcesOf(...list: GtidSource[]): GtidSources {
  const sources = new GtidSources();
  sources.update(list);
  return sources;
}

function reported(sources: GtidSources, gtid: string): number {
  return sources.positionOf(Buffer.from(gtid), 0, gtid.length);
}

t.test('of the current source', async (t) => {
  const current = mysql(2, A, 100n);
  const sources = sourcesOf(mysql(1, B, 0n, 50n), current);
  for (const [gtid, sequence] of [
    [`${A}:101`, 101n],
    [`${A}:7`, 100n],
    [`${A}:101-107`, 107n],
    [`${A}:1-5:150`, 150n],
    [`${A}:9007199254740993`, 9_007_199_254_740_993n],
  ] as const)
    t.equal(reported(sources, gtid), gtidPosition(current, sequence), gtid);
  for (const gtid of [`${A}:`, `${A}:5,${B}:6`, `${A}:tag:5`, '0-1-5', '', A])
    t.equal(reported(sources, gtid), FOREIGN_GTID, gtid);
});

t.test('a server that is the primary again: its numbers are not those of its first time', async (t) => {
  const [first, second, third] = [mariadb(1, 1, 0n, 50n), mariadb(2, 2, 50n, 80n), mariadb(3, 1, 80n)];
  const before = sourcesOf(first, { ...second, end: null });
  t.equal(reported(before, '0-1-50'), gtidPosition(first, 50n));
  t.equal(reported(before, '0-1-81'), FOREIGN_GTID, 'before it is known that it is the primary again');
  const after = sourcesOf(first, second, third);
  t.equal(reported(after, '0-1-81'), gtidPosition(third, 81n));
  t.equal(reported(after, '0-2-80'), gtidPosition(second, 80n));
  t.equal(reported(after, '0-2-81'), FOREIGN_GTID, 'nobody else has it');
});

t.test('without GTIDs nothing is reported', async (t) => {
  const none = sourcesOf({ ...mysql(1, A, 5n), prefix: '' });
  t.notOk(none.areReported);
  t.equal(reported(none, `${A}:5`), FOREIGN_GTID);
  t.equal(none.textOf(gtidPosition(none.current!, 9n)), '');
  t.ok(sourcesOf(mysql(1, A, 0n)).areReported);
  t.notOk(sourcesOf().areReported);
});

t.test('named by clients', async (t) => {
  const current = mysql(1, A, 100n);
  const sources = sourcesOf(current);
  const named = (text: string) => sources.positionNamed(text);
  t.equal(named(`${A.toUpperCase()}:120`), gtidPosition(current, 120n));
  t.equal(named(`${A}:1-120, ${A}:130`), gtidPosition(current, 130n));
  t.equal(named(`${A}:120,${B}:1`), FOREIGN_GTID);
  t.equal(named('0-1-5'), FOREIGN_GTID);
  for (const text of ['', ' ', 'x', A, `${A}:`, `${A}:x`, '0-1', '0-1-', '-1-2-3', `${A}:1;`, `${A}:1,`])
    t.equal(named(text), null, JSON.stringify(text));
  t.equal(sources.textOf(gtidPosition(current, 120n)), `${A}:120`);
  t.equal(sources.textOf(NO_GTID), '');
});

t.test('in the session state of an OK', async (t) => {
  const gtids = (text: string): SessionStateChange => ({
    type: SessionTrackType.GTIDS,
    encoding: 0,
    gtids: text,
  });
  const variable = (name: string, value: string): SessionStateChange => ({
    type: SessionTrackType.SYSTEM_VARIABLES,
    name,
    value,
  });
  const onMysql = sourcesOf(mysql(1, A, 0n));
  const onMariadb = sourcesOf(mariadb(1, 1, 0n));
  const schema: SessionStateChange = { type: SessionTrackType.SCHEMA, schema: 'x'.repeat(300) };
  const position = gtidPosition(mysql(1, A, 0n), 42n);
  const blocks: readonly [GtidSources, readonly SessionStateChange[], number][] = [
    [onMysql, [schema], NO_GTID],
    [onMysql, [gtids('')], NO_GTID],
    [onMysql, [schema, gtids(`${A}:42`), variable('time_zone', 'UTC')], position],
    [onMysql, [gtids(`${B}:42`)], FOREIGN_GTID],
    [onMariadb, [variable('last_gtid', '0-1-42')], position],
    [onMariadb, [variable('autocommit', 'ON'), schema, variable('last_gtid', '0-1-42')], position],
    [onMariadb, [variable('last_gtid', '')], NO_GTID],
    [onMariadb, [variable('last_gtid', '7-1-42')], FOREIGN_GTID],
    [onMariadb, [variable('last_gtie', '0-1-42'), variable('x', '9'.repeat(70_000))], NO_GTID],
  ];
  for (const [sources, changes, expected] of blocks) {
    const block = encodeSessionState(changes);
    t.equal(reportedGtid(block, 0, block.length, sources), expected, JSON.stringify(changes).slice(0, 80));
    // Wherever it is cut off: nothing is read that is not there.
    for (let end = 0; end < Math.min(block.length, 400); end++)
      t.ok([NO_GTID, expected].includes(reportedGtid(block, 0, end, sources)));
  }
});

t.test('what replicas are asked, and what they answer', async (t) => {
  const onMysql = mysql(1, A, 0n);
  const onMariadb = mariadb(1, 3, 0n);
  t.equal(
    waitStatement(onMysql, 7n, 50),
    `SELECT WAIT_FOR_EXECUTED_GTID_SET('${A}:1-7',0.050),@@GLOBAL.gtid_executed`,
  );
  t.equal(
    waitStatement(onMariadb, 7n, 1500),
    "SELECT MASTER_GTID_WAIT('0-3-7',1.500),@@GLOBAL.gtid_slave_pos",
  );
  const answers: readonly [GtidSource, string, bigint | null][] = [
    [onMysql, `${A}:1-7`, 7n],
    [onMysql, `${B}:1-9,\n${A.toUpperCase()}:1-7:9-20`, 7n],
    [onMysql, `${A}:1`, 1n],
    [onMysql, `${A}:1:3-5`, 1n],
    [onMysql, `${A}:10-20`, null],
    [onMysql, `${A}:2-20`, null],
    [onMysql, `${B}:1-9`, null],
    [onMysql, '', null],
    [onMariadb, '0-2-7', 7n],
    [onMariadb, '10-3-9,0-3-8', 8n],
    [onMariadb, '10-3-9', null],
    [onMariadb, '', null],
  ];
  for (const [source, text, expected] of answers) t.equal(executedSequence(source, text), expected, text);
});

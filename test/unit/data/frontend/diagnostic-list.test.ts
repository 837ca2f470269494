/** Lists that are still being read while statements elsewhere may have emptied them. */

import t, { type Test } from 'tap';
import { Command, type ResponseTracker } from '../../../../protocol/index.ts';
import type { BackendConnection } from '../../../../src/data/backend/backend-connection.ts';
import type { RecordedResult } from '../../../../src/data/backend/recording-reply.ts';
import { DiagnosticList, type DiagnosticReading } from '../../../../src/data/frontend/diagnostic-list.ts';
import type { StatementClass } from '../../../../src/sql/statement-class.ts';

const MARKER = 'sluice: what was here before';

/** As much of a connection, an answer and a statement as the list looks at. */
const connection = (): BackendConnection =>
  ({ server: { flavor: 'mariadb' }, owed: 0 }) as unknown as BackendConnection;
const answer = (raisedWarnings: boolean): ResponseTracker =>
  ({ errno: 0, warnings: raisedWarnings ? 1 : 0, raisedWarnings }) as unknown as ResponseTracker;
const statement = (kind: string): StatementClass =>
  ({
    kind,
    statementCount: 1,
    tables: [],
    command: 'SHOW_VARIABLES',
    provenRead: true,
  }) as unknown as StatementClass;
const result = (...messages: string[]): RecordedResult =>
  ({
    errno: 0,
    columns: [],
    packets: [],
    rows: messages.map((message) => ['Warning', '1292', message]),
  }) as unknown as RecordedResult;

interface Readings {
  readonly list: DiagnosticList;
  /** Of the list that a statement has raised. */
  readonly older: DiagnosticReading;
  /** Of a connection where a marker was raised in front of another statement. */
  readonly newer: DiagnosticReading;
}

function twoReadings(t: Test): Readings {
  const list = new DiagnosticList();
  const [first, second] = [connection(), connection()];
  list.statementDone(first, answer(true), statement('read'), Command.COM_QUERY, false, null);
  const older = list.startReading();
  t.not(list.markerFor(statement('read'), second), '', 'a marker is raised');
  list.statementDone(second, answer(false), statement('read'), Command.COM_QUERY, false, null);
  const newer = list.startReading();
  return { list, older, newer };
}

const texts = ({ memory }: DiagnosticList): (string | null | undefined)[] => memory.rows.map((row) => row[2]);

t.test('the marker has gone: the list was emptied, whoever answers first', async (t) => {
  for (const newerFirst of [true, false]) {
    const { list, older, newer } = twoReadings(t);
    const readNewer = (): void => list.read(newer, result(), '0', '0');
    if (newerFirst) readNewer();
    list.read(older, result('x'), '1', '0');
    if (!newerFirst) readNewer();
    t.same(texts(list), [], `newer first: ${newerFirst}`);
    t.ok(list.isEmpty);
  }
});

t.test('the marker is still there: so is the list', async (t) => {
  for (const newerFirst of [true, false]) {
    const { list, older, newer } = twoReadings(t);
    const readNewer = (): void => list.read(newer, result(MARKER), '1', '0');
    if (newerFirst) readNewer();
    list.read(older, result('x'), '1', '0');
    if (!newerFirst) readNewer();
    t.same(texts(list), ['x'], `newer first: ${newerFirst}`);
  }
});

t.test('a connection that is lost takes its own list along', async (t) => {
  const { list, older, newer } = twoReadings(t);
  list.read(older, null, null, null);
  list.read(newer, result(MARKER), '1', '0');
  t.ok(list.isEmpty);
});

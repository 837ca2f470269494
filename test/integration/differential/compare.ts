import type { Transcript } from './case-runner.ts';
import { ServerStatus } from './wire-constants.ts';
import type { WireRecord } from './wire-record.ts';

/** A difference that is in the nature of a proxy, or of two runs, and not a defect. */
interface Normalisation {
  readonly reason: string;
  apply(record: WireRecord, stepLabel: string): WireRecord;
}

const normalisations: readonly Normalisation[] = [
  {
    reason: 'thread ids are the server’s own and differ from run to run',
    apply: (record) => replaceInField(record, 'message', /\b(connection|thread|id:?) \d+/gi, '$1 N'),
  },
  {
    reason: 'two connections of one server report the changed variables in different orders',
    apply: (record) => sortSessionState(record),
  },
  {
    reason:
      'the EOF behind the definitions comes before the rows, and a proxy that asks its servers for DEPRECATE_EOF learns status and warnings only behind them',
    apply: (record, stepLabel) =>
      record.kind === 'metadata-eof' ? keepStatus(record, knownBeforeRows(stepLabel)) : record,
  },
  {
    reason: 'SERVER_SESSION_STATE_CHANGED announces what only a client with SESSION_TRACK is sent',
    apply: (record) =>
      record.kind === 'eof' ? keepStatus(record, ~ServerStatus.sessionStateChanged) : record,
  },
];

const KNOWN_BEFORE_ROWS =
  ServerStatus.autocommit |
  ServerStatus.moreResultsExist |
  ServerStatus.cursorExists |
  ServerStatus.lastRowSent |
  ServerStatus.psOutParams;

/** A comment behind the last semicolon is a statement of its own to the servers; the end of a body is found by grammar. */
const MORE_IS_UNKNOWN = /;\s*(?:--|#|\/\*)|\bEND; /;

function knownBeforeRows(stepLabel: string): number {
  return MORE_IS_UNKNOWN.test(stepLabel)
    ? KNOWN_BEFORE_ROWS & ~ServerStatus.moreResultsExist
    : KNOWN_BEFORE_ROWS;
}

/** Sentences that say where two runs of a case differ; empty when a client could not tell them apart. */
export function compareTranscripts(direct: Transcript, proxied: Transcript): string[] {
  const differences: string[] = [
    ...direct.sequenceErrors.map((text) => `direct: ${text}`),
    ...proxied.sequenceErrors.map((text) => `proxied: ${text}`),
  ];
  const count = Math.max(direct.steps.length, proxied.steps.length);
  for (let index = 0; index < count; index++) {
    const [left, right] = [direct.steps[index], proxied.steps[index]];
    if (left === undefined || right === undefined) {
      const label = (left ?? right)?.label ?? '';
      differences.push(
        `step ${index} (${shorten(label)}): only the ${left === undefined ? 'proxied' : 'direct'} run got here`,
      );
      break;
    }
    const difference = compareRecords(left.records, right.records, left.label, left.ignore);
    if (difference !== null) differences.push(`step ${index} (${shorten(left.label)}): ${difference}`);
  }
  return differences;
}

/** A sentence that says where two answers differ, or null. */
export function compareRecords(
  left: readonly WireRecord[],
  right: readonly WireRecord[],
  label: string,
  ignore: readonly string[],
): string | null {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const expected = print(left[index], label, ignore);
    const actual = print(right[index], label, ignore);
    if (expected !== actual) {
      return `record ${index} of ${left.length}/${right.length}\n    direct:  ${shorten(expected, 700)}\n    proxied: ${shorten(actual, 700)}`;
    }
  }
  return null;
}

function print(record: WireRecord | undefined, label: string, ignore: readonly string[]): string {
  if (record === undefined) return '(nothing)';
  const normal = normalisations.reduce((value, one) => one.apply(value, label), record);
  const fields = Object.entries(normal.fields).filter(([name]) => !ignore.includes(`${normal.kind}.${name}`));
  return `${normal.kind} ${JSON.stringify(Object.fromEntries(fields))}`;
}

function replaceInField(record: WireRecord, field: string, pattern: RegExp, replacement: string): WireRecord {
  const value = record.fields[field];
  if (typeof value !== 'string') return record;
  return { ...record, fields: { ...record.fields, [field]: value.replace(pattern, replacement) } };
}

function shorten(text: string, max = 160): string {
  return text.length <= max ? text : `${text.slice(0, max)}… (${text.length} characters)`;
}

function sortSessionState(record: WireRecord): WireRecord {
  const { sessionState } = record.fields;
  if (typeof sessionState !== 'string') return record;
  return { ...record, fields: { ...record.fields, sessionState: sessionState.split('|').sort().join('|') } };
}

function keepStatus(record: WireRecord, bits: number): WireRecord {
  const { status, ...rest } = record.fields;
  const warnings = record.kind === 'metadata-eof' ? 0 : (rest.warnings ?? 0);
  return { ...record, fields: { ...rest, warnings, status: Number(status) & bits } };
}

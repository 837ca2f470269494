/** The reports of all workers on the shadow rules, put together. */

import { ShadowEffect, type ShadowRecord, type ShadowSample } from '../../common/shadow-report.ts';

export interface ShadowRow {
  readonly kind: 'total' | 'rule' | 'sample';
  readonly what: string;
  readonly statements: number;
  readonly current: string | null;
  readonly shadow: string | null;
  readonly digest: string | null;
  readonly digestText: string | null;
  readonly username: string | null;
  readonly schema: string | null;
}

const NOTHING = { current: null, shadow: null, digest: null, digestText: null, username: null, schema: null };

/** Totals, then rules in their order, then samples, the most frequent ones first. */
export function shadowRows(records: readonly ShadowRecord[]): readonly ShadowRow[] {
  const sum = (read: (record: ShadowRecord) => number): number =>
    records.reduce((total, record) => total + read(record), 0);
  const totals = [
    {
      kind: 'total' as const,
      what: 'statements',
      statements: sum(({ statements }) => statements),
      ...NOTHING,
    },
    ...Object.values(ShadowEffect).map((effect) => ({
      kind: 'total' as const,
      what: effect,
      statements: sum(({ effects }) => effects[effect]),
      ...NOTHING,
    })),
  ];
  return [...totals, ...ruleRows(records), ...sampleRows(records)];
}

function ruleRows(records: readonly ShadowRecord[]): ShadowRow[] {
  const hits = new Map<number, number>();
  for (const record of records)
    for (const { ruleId, hits: more } of record.hits) hits.set(ruleId, (hits.get(ruleId) ?? 0) + more);
  return [...hits].map(([ruleId, statements]) => ({
    kind: 'rule',
    what: String(ruleId),
    statements,
    ...NOTHING,
  }));
}

function sampleRows(records: readonly ShadowRecord[]): ShadowRow[] {
  const samples = new Map<string, ShadowSample>();
  for (const sample of records.flatMap((record) => record.samples)) {
    const { statements, ...what } = sample;
    const key = JSON.stringify(what);
    samples.set(key, { ...sample, statements: statements + (samples.get(key)?.statements ?? 0) });
  }
  return [...samples.values()]
    .sort((one, other) => other.statements - one.statements)
    .map(({ effect, ...sample }) => ({ kind: 'sample', what: effect, ...sample }));
}

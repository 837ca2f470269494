/** What an import tells its operator: what was taken, what means something else, what is not there, what is to be done. */

export const FindingKind = {
  /** Somebody has to look at it before the configuration is used. */
  attention: 'attention',
  /** Taken, with another meaning or value. */
  changed: 'changed',
  /** Sluice has nothing like it. */
  missing: 'missing',
} as const;
export type FindingKind = (typeof FindingKind)[keyof typeof FindingKind];

export interface Finding {
  readonly kind: FindingKind;
  /** `mysql-threads`, `mysql_users 'app', column use_ssl`. */
  readonly what: string;
  /** `proxysql.cnf:12`, or ''. */
  readonly place: string;
  /** A sentence without a full stop; never a password. */
  readonly message: string;
}

const TITLES: Readonly<Record<FindingKind, string>> = {
  attention: 'Look at these before you use it',
  changed: 'Means something else, or is done differently',
  missing: 'Has no equivalent',
};

export class ImportReport {
  readonly findings: Finding[] = [];
  readonly #taken = new Map<string, number>();

  /** @param what in the plural */
  taken(what: string, count: number): void {
    if (count > 0) this.#taken.set(what, (this.#taken.get(what) ?? 0) + count);
  }

  attention(what: string, message: string, place = ''): void {
    this.findings.push({ kind: FindingKind.attention, what, place, message });
  }

  changed(what: string, message: string, place = ''): void {
    this.findings.push({ kind: FindingKind.changed, what, place, message });
  }

  missing(what: string, message: string, place = ''): void {
    this.findings.push({ kind: FindingKind.missing, what, place, message });
  }

  of(kind: FindingKind): readonly Finding[] {
    return this.findings.filter((finding) => finding.kind === kind);
  }

  /** @param name what was read */
  text(name: string): string {
    const taken = [...this.#taken].map(([what, count]) => `${what}: ${count}`).join(', ');
    const lines = [`Read ${name}`, `Taken: ${taken === '' ? 'nothing' : taken}`];
    for (const kind of Object.values(FindingKind)) {
      const findings = this.of(kind);
      if (findings.length > 0) lines.push('', `${TITLES[kind]} (${findings.length}):`, ...grouped(findings));
    }
    return lines.map((line) => `${line}\n`).join('');
  }
}

/** Findings with the same sentence stand together, in the order of the first of each. */
function grouped(findings: readonly Finding[]): string[] {
  const byMessage = Map.groupBy(findings, ({ message }) => message);
  return [...byMessage].flatMap(([message, same]) => {
    const names = same.map(({ what, place }) => (place === '' ? what : `${what} (${place})`));
    return [`- ${names.join(', ')}: ${message}`];
  });
}

/** What is looked at before an operation touches anything, one line each for DRY RUN. */

export const Verdict = {
  ok: 'ok',
  /** The operation is not begun. */
  refused: 'refused',
  /** Worth knowing; no reason to refuse. */
  note: 'note',
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface CheckVerdict {
  readonly check: string;
  readonly verdict: Verdict;
  readonly text: string;
}

export class CheckList {
  readonly #verdicts: CheckVerdict[] = [];

  get verdicts(): readonly CheckVerdict[] {
    return this.#verdicts;
  }

  get isRefused(): boolean {
    return this.#verdicts.some(({ verdict }) => verdict === Verdict.refused);
  }

  /** All reasons in one sentence; '' where nothing was refused. */
  get reason(): string {
    return this.#verdicts
      .filter(({ verdict }) => verdict === Verdict.refused)
      .map(({ text }) => text)
      .join('; ');
  }

  /** Passed, with what was found, or refused for this reason. */
  require(check: string, isPassed: boolean, found: string, reason: string): boolean {
    this.#verdicts.push(
      isPassed
        ? { check, verdict: Verdict.ok, text: found }
        : { check, verdict: Verdict.refused, text: reason },
    );
    return isPassed;
  }

  refuse(check: string, reason: string): void {
    this.#verdicts.push({ check, verdict: Verdict.refused, text: reason });
  }

  note(check: string, text: string): void {
    this.#verdicts.push({ check, verdict: Verdict.note, text });
  }
}

/** What a text of statements answers with, as far as the text tells; `StatementClass` is one. */
export interface AnswerParts {
  readonly statementCount: number;
  /** Which of the statements, from 0, are CALLs: these answer with any number of result sets, and an OK at the end. */
  readonly calls: readonly number[];
}

/**
 * Whether another result follows the one that begins. The EOF behind definitions says so, and some clients read on
 * only if that one does; but servers that leave it out (CLIENT_DEPRECATE_EOF) say so behind the rows only.
 */
export class ResultSequence {
  #parts: AnswerParts | null = null;
  #index = 0;

  /** @param parts null where they are not known: then no other result is announced. */
  begin(parts: AnswerParts | null): void {
    this.#parts = parts;
    this.#index = 0;
  }

  /** To be asked when a result set begins. */
  get continues(): boolean {
    const parts = this.#parts;
    return parts !== null && (this.#index < parts.statementCount - 1 || parts.calls.includes(this.#index));
  }

  /** @param isOk it was an OK, and no result set */
  resultEnded(isOk: boolean): void {
    if (this.#parts !== null && (isOk || !this.#parts.calls.includes(this.#index))) this.#index++;
  }
}

/** A digest as rules ask for it; made only while its rules are evaluated. */

import { digestName } from '../../../sql/digest-text.ts';
import { digestForms } from '../../../sql/rules/digest-forms.ts';
import type { RuleText } from '../../../sql/rules/rule-text.ts';

export class PlanDigest {
  readonly #normalized: Buffer;
  readonly #maxBytes: number;
  #name: string | null = null;
  #forms: readonly RuleText[] | null = null;

  /** @param maxBytes more of it is not looked at. */
  constructor(normalized: Buffer, maxBytes: number) {
    this.#normalized = normalized;
    this.#maxBytes = maxBytes;
  }

  /** `0x` and 16 hexadecimal digits. */
  get name(): string {
    this.#name ??= digestName(this.#normalized);
    return this.#name;
  }

  get forms(): readonly RuleText[] {
    this.#forms ??= digestForms(this.#normalized, this.#maxBytes);
    return this.#forms;
  }
}

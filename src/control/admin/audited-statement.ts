/** One statement on its way into the audit log: what it was, whose, and how it ended. */

import type { CommandContext } from './admin-command.ts';
import { AdminError } from './admin-error.ts';
import type { AdminStatement } from './admin-statement.ts';
import type { CommandSession } from './commands/command.ts';

/** Nobody reads more of a statement in a log. */
const MAX_BYTES = 64 * 1024;
const WITH = /^with$/i;
const WRITING = /^(?:insert|replace|update|delete)$/i;
/** Of what is no error of an operator. */
const INTERNAL_ERROR = 1105;

/** `WITH … INSERT …` begins like a query. */
export function writesBehindWith({ tokens }: AdminStatement): boolean {
  const [first, ...others] = tokens;
  return WITH.test(first?.text ?? '') && others.some(({ text }) => WRITING.test(text));
}

export class AuditedStatement {
  readonly #source: Buffer;
  readonly #session: CommandSession;
  readonly #context: CommandContext;
  readonly #beganAtMs = performance.now();
  /** Whether it would change something; unknown statements would not. */
  changes = false;

  constructor(source: Buffer, session: CommandSession, context: CommandContext) {
    this.#source = source;
    this.#session = session;
    this.#context = context;
  }

  succeeded(): void {
    this.#tell(null);
  }

  failed(error: unknown): void {
    if (error instanceof AdminError) {
      const { errno, message } = error.toClientError();
      this.#tell({ errno, message });
    } else this.#tell({ errno: INTERNAL_ERROR, message: 'internal error' });
  }

  #tell(failure: { readonly errno: number; readonly message: string } | null): void {
    const { audit, port } = this.#context;
    audit.command(
      { ...this.#session, port },
      {
        statement: this.#source.toString('utf8', 0, MAX_BYTES),
        changes: this.changes,
        failure,
        durationMs: Math.round(performance.now() - this.#beganAtMs),
      },
    );
  }
}

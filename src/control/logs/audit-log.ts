/**
 * Who logged in, and what operators did. The parts of the control plane tell it; what is written the settings say.
 * Statements come with their passwords masked: see `mask-secrets.ts`.
 */

import type { Config } from '../../../config/schema.ts';
import type { ClientEvent } from '../../common/worker-report.ts';
import type { LogTarget } from './log-target.ts';
import { maskSecrets } from './mask-secrets.ts';

/** Where an operator is connected to. */
export type OperatorPort = 'admin' | 'http';

export interface Operator {
  readonly port: OperatorPort;
  readonly username: string;
  /** Address of the client. */
  readonly host: string;
  /** 0 on the http port. */
  readonly connectionId: number;
}

export interface OperatorCommand {
  /** As it was sent, or its normal form; secrets are taken out here. */
  readonly statement: string;
  readonly changes: boolean;
  /** null: it succeeded. */
  readonly failure: { readonly errno: number; readonly message: string } | null;
  readonly durationMs: number;
}

/** What the admin port and the http port tell. */
export interface AuditTrail {
  command(operator: Operator & { readonly role: string }, command: OperatorCommand): void;
  loggedIn(operator: Operator & { readonly role: string }): void;
  loginRefused(operator: Operator, reason: string): void;
  /** The end of a session that had logged in. */
  left(operator: Operator, reason: string): void;
}

type AuditSettings = Pick<Config['auditLog'], 'commands' | 'logins'>;

/** A longer statement is cut. */
const MAX_STATEMENT_LENGTH = 4096;

export class AuditLog implements AuditTrail {
  readonly #target: LogTarget;
  #settings: AuditSettings;

  constructor(target: LogTarget, settings: AuditSettings) {
    this.#target = target;
    this.#settings = settings;
  }

  apply(settings: AuditSettings): void {
    this.#settings = settings;
  }

  command(operator: Operator & { readonly role: string }, command: OperatorCommand): void {
    const { commands } = this.#settings;
    const { statement, changes, failure, durationMs } = command;
    if (commands === 'none' || (commands === 'changes' && !changes)) return;
    const masked = maskSecrets(statement);
    const text = masked.text;
    this.#write(failure === null ? 'admin command' : 'admin command refused', operator, {
      role: operator.role,
      command: text.length > MAX_STATEMENT_LENGTH ? `${text.slice(0, MAX_STATEMENT_LENGTH)}…` : text,
      durationMs,
      ...(failure === null ? {} : { errno: failure.errno }),
      // It may quote what has just been masked.
      ...(failure === null || masked.isMasked ? {} : { reason: failure.message }),
    });
  }

  loggedIn(operator: Operator & { readonly role: string }): void {
    if (this.#settings.logins === 'all') this.#write('admin login', operator, { role: operator.role });
  }

  loginRefused(operator: Operator, reason: string): void {
    if (this.#settings.logins !== 'none') this.#write('admin login refused', operator, { reason });
  }

  left(operator: Operator, reason: string): void {
    if (this.#settings.logins === 'all') this.#write('admin logout', operator, { reason });
  }

  client(worker: number, event: ClientEvent): void {
    const { kind, timeMs, connectionId, username, client, schema, tls, reason, errno } = event;
    this.#target.write(`client ${kind}`, {
      at: new Date(timeMs).toISOString(),
      user: username,
      client,
      connectionId,
      schema,
      tls,
      ...(reason === null ? {} : { reason }),
      ...(errno === 0 ? {} : { errno }),
      worker,
    });
  }

  #write(message: string, { port, username, host, connectionId }: Operator, more: Record<string, unknown>) {
    const connection = connectionId === 0 ? {} : { connectionId };
    this.#target.write(message, { user: username, host, port, ...connection, ...more });
  }
}

/** Tells the audit log of one client's logins, changes of user, and end, if it wants to know. */

import { type ClientEvent, ClientEventKind } from '../../common/worker-report.ts';
import type { WorkerContext } from '../worker-context.ts';

interface AuditedTransport {
  /** `address:port`, as servers show it. */
  readonly remoteEndpoint: string;
  readonly isEncrypted: boolean;
}

export class ClientAudit {
  readonly #context: WorkerContext;
  readonly #transport: AuditedTransport;
  readonly #connectionId: number;
  /** null before the first login, and behind the end. */
  #username: string | null = null;
  #schema: string | null = null;

  constructor(context: WorkerContext, transport: AuditedTransport, connectionId: number) {
    this.#context = context;
    this.#transport = transport;
    this.#connectionId = connectionId;
  }

  entered(username: string, schema: string | null): void {
    const kind = this.#username === null ? ClientEventKind.login : ClientEventKind.changeUser;
    this.#username = username;
    this.#schema = schema;
    this.#tell(kind, username, schema, null, 0);
  }

  /** @param username that was to be logged in as. */
  refused(username: string, reason: string, errno: number): void {
    const kind = this.#username === null ? ClientEventKind.loginRefused : ClientEventKind.changeUserRefused;
    this.#tell(kind, username, null, reason, errno);
  }

  ended(reason: string): void {
    if (this.#username === null) return;
    this.#tell(ClientEventKind.end, this.#username, this.#schema, reason, 0);
    this.#username = null;
  }

  #tell(
    kind: ClientEvent['kind'],
    username: string,
    schema: string | null,
    reason: string | null,
    errno: number,
  ): void {
    const { snapshot, clientEvents } = this.#context;
    if (!snapshot.settings.auditLog.clients || !clientEvents.hasRoom()) return;
    clientEvents.add({
      kind,
      timeMs: Date.now(),
      connectionId: this.#connectionId,
      username,
      client: this.#transport.remoteEndpoint,
      schema,
      tls: this.#transport.isEncrypted,
      reason,
      errno,
    });
  }
}

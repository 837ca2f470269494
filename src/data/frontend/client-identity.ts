/** Who a session's client is: what its login told, and which connections to servers may serve it by now. */

import { Capability } from '../../../protocol/index.ts';
import type { CausalLevel } from '../../common/causal-level.ts';
import type { SessionCredentials } from '../backend/account-credentials.ts';
import { type ConnectionKey, connectionKeyOf } from '../backend/connection-key.ts';

export interface SessionIdentity {
  readonly connectionId: number;
  readonly username: string;
  /** Of the account; null where it names none. */
  readonly defaultHostgroup: number | null;
  /** Which writes its reads must see; null: as for all. */
  readonly causalReads: CausalLevel | null;
  /** Everything goes over one connection of the primary. */
  readonly fastForward: boolean;
  readonly clientCapabilities: number;
  readonly collationId: number;
  readonly connectionKey: ConnectionKey;
  /** Those of the key, and newer ones. */
  readonly credentials: SessionCredentials;
}

export class ClientIdentity {
  #value: SessionIdentity;

  constructor(value: SessionIdentity) {
    this.#value = value;
  }

  get value(): SessionIdentity {
    return this.#value;
  }

  get allowsMultiStatements(): boolean {
    return (this.#value.connectionKey.behaviourFlags & Capability.CLIENT_MULTI_STATEMENTS) !== 0;
  }

  /** COM_CHANGE_USER. What COM_SET_OPTION has set stays, as at a server. */
  change(value: SessionIdentity): void {
    const allowed = this.allowsMultiStatements;
    this.#value.credentials.leave();
    this.#value = value;
    this.allowMultiStatements(allowed);
  }

  /** A capability of connections: others serve the session from now on. */
  allowMultiStatements(isAllowed: boolean): void {
    const flag = Capability.CLIENT_MULTI_STATEMENTS;
    const { credentials, behaviourFlags, mariadbFlags, ownerId } = this.#value.connectionKey;
    const flags = isAllowed ? behaviourFlags | flag : behaviourFlags & ~flag;
    this.#key(connectionKeyOf(credentials, flags, mariadbFlags, ownerId));
  }

  /** @returns true if the key is another one now, with credentials that a server may accept. */
  takeNewerCredentials(): boolean {
    const newer = this.#value.credentials.takeNewer();
    if (newer === null) return false;
    const { behaviourFlags, mariadbFlags } = this.#value.connectionKey;
    this.#key(connectionKeyOf(newer, behaviourFlags, mariadbFlags));
    return true;
  }

  /** The password has expired: a connection of its own. @returns false if it has one already. */
  confine(): boolean {
    const { clientCapabilities, connectionId } = this.#value;
    const { credentials, behaviourFlags, mariadbFlags, ownerId } = this.#value.connectionKey;
    if (ownerId !== null) return false;
    const flags = behaviourFlags | (clientCapabilities & Capability.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS);
    this.#key(connectionKeyOf(credentials, flags, mariadbFlags, connectionId));
    return true;
  }

  /** Connections that others may have had serve it again. */
  release(): void {
    const { credentials, behaviourFlags, mariadbFlags } = this.#value.connectionKey;
    const flags = behaviourFlags & ~Capability.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS;
    this.#key(connectionKeyOf(credentials, flags, mariadbFlags));
  }

  #key(connectionKey: ConnectionKey): void {
    this.#value = { ...this.#value, connectionKey };
  }
}

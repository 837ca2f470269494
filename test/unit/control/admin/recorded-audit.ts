import type { AuditTrail, Operator, OperatorCommand } from '../../../../src/control/logs/audit-log.ts';

/** An audit log that only remembers. */
export class RecordedAudit implements AuditTrail {
  readonly commands: OperatorCommand[] = [];
  readonly logins: string[] = [];

  command(_operator: Operator, command: OperatorCommand): void {
    this.commands.push(command);
  }

  loggedIn({ username }: Operator): void {
    this.logins.push(`in ${username}`);
  }

  loginRefused({ username }: Operator, reason: string): void {
    this.logins.push(`refused ${username}: ${reason}`);
  }

  left({ username }: Operator, reason: string): void {
    this.logins.push(`left ${username}: ${reason}`);
  }
}

/** What the settings let through. */
import t from 'tap';
import { type LogRecord, RootLogger } from '../../../../src/common/logger.ts';
import { AuditLog } from '../../../../src/control/logs/audit-log.ts';
import { LogTarget } from '../../../../src/control/logs/log-target.ts';

type Settings = ConstructorParameters<typeof AuditLog>[1];

const OPERATOR = { port: 'http', username: 'ops', host: '10.0.0.9', connectionId: 0, role: 'admin' } as const;
const DONE = { changes: true, failure: null, durationMs: 3 } as const;

function fixture(settings: Settings) {
  const records: LogRecord[] = [];
  const logger = new RootLogger(
    'silent',
    (record) => records.push(record),
    () => undefined,
  );
  const audit = new AuditLog(new LogTarget('auditLog.file', logger), settings);
  const messages = (): string[] => records.map(({ message }) => message);
  return { audit, records, messages };
}

t.test('commands', async (t) => {
  const wanted = { none: 0, changes: 1, all: 2 } as const;
  for (const commands of ['none', 'changes', 'all'] as const) {
    const { audit, records } = fixture({ commands, logins: 'none' });
    audit.command(OPERATOR, { ...DONE, statement: 'DRAIN x' });
    audit.command(OPERATOR, { ...DONE, statement: 'SHOW SERVERS', changes: false });
    t.equal(records.length, wanted[commands], commands);
  }
});

t.test('an entry', async (t) => {
  const { audit, records } = fixture({ commands: 'all', logins: 'all' });
  audit.command(OPERATOR, { ...DONE, statement: 'DRAIN  /* x */ y;' });
  const failure = { errno: 1210, message: "no server 'y'" };
  audit.command({ ...OPERATOR, connectionId: 7 }, { ...DONE, statement: 'DRAIN y', failure });
  const secret = { errno: 1064, message: "near 'hunt': syntax error" };
  audit.command(OPERATOR, { ...DONE, statement: "SET mysql-monitor_password 'hunter2'", failure: secret });
  audit.command(OPERATOR, { ...DONE, statement: `DRAIN ${'x'.repeat(10_000)}` });
  t.match(records, [
    {
      level: 'info',
      message: 'admin command',
      fields: {
        user: 'ops',
        host: '10.0.0.9',
        port: 'http',
        role: 'admin',
        command: 'DRAIN y;',
        durationMs: 3,
      },
    },
    { message: 'admin command refused', fields: { connectionId: 7, errno: 1210, reason: "no server 'y'" } },
    { message: 'admin command refused', fields: { errno: 1064 } },
    { fields: { command: /^DRAIN x{4090}…$/ } },
  ]);
  t.equal(records[0]?.fields.connectionId, undefined);
  t.equal(records[2]?.fields.reason, undefined, 'it might quote the password');
  t.notMatch(JSON.stringify(records), 'hunt');
});

t.test('logins', async (t) => {
  const tell = (logins: Settings['logins']): string[] => {
    const { audit, messages } = fixture({ commands: 'none', logins });
    audit.loggedIn(OPERATOR);
    audit.loginRefused(OPERATOR, 'Access denied');
    audit.left(OPERATOR, 'quit');
    return messages();
  };
  t.strictSame(tell('none'), []);
  t.strictSame(tell('refused'), ['admin login refused']);
  t.strictSame(tell('all'), ['admin login', 'admin login refused', 'admin logout']);
});

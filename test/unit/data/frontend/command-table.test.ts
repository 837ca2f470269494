import t from 'tap';
import { AnswerShape, Command } from '../../../../protocol/index.ts';
import { CommandTreatment, commandShape, treatmentOf } from '../../../../src/data/frontend/command-table.ts';

/** Between servers, at login, or made up by servers for themselves: answered with ER_UNKNOWN_COM_ERROR. */
const NOT_FOR_CLIENTS: ReadonlySet<string> = new Set([
  'COM_SLEEP',
  'COM_CONNECT',
  'COM_TIME',
  'COM_DELAYED_INSERT',
  'COM_CONNECT_OUT',
  'COM_TABLE_DUMP',
  'COM_DAEMON',
  'COM_CLONE',
  'COM_SUBSCRIBE_GROUP_REPLICATION_STREAM',
  // Of a MariaDB extension that is not offered.
  'COM_STMT_BULK_EXECUTE',
  // Handled before the table is asked: it is a login.
  'COM_CHANGE_USER',
]);

t.test('every byte has a treatment and a shape', async (t) => {
  const treatments = new Set<string>(Object.values(CommandTreatment));
  const shapes = new Set<number>(Object.values(AnswerShape));
  for (let command = 0; command < 256; command++) {
    if (!treatments.has(treatmentOf(command))) t.fail(`treatment of ${command}`);
    if (!shapes.has(commandShape(command))) t.fail(`shape of ${command}`);
  }
  t.equal(treatmentOf(0xff), CommandTreatment.unknown);
});

t.test('every command that a client may send is known', async (t) => {
  for (const [name, command] of Object.entries(Command)) {
    // COM_QUERY has a way of its own.
    if (name === 'COM_QUERY') continue;
    t.equal(treatmentOf(command) === CommandTreatment.unknown, NOT_FOR_CLIENTS.has(name), name);
  }
});

t.test('shapes of the answers', async (t) => {
  const shapes: Readonly<Record<string, AnswerShape>> = {
    COM_STMT_PREPARE: AnswerShape.prepare,
    COM_STMT_EXECUTE: AnswerShape.query,
    COM_STMT_FETCH: AnswerShape.fetch,
    COM_FIELD_LIST: AnswerShape.fieldList,
    COM_STATISTICS: AnswerShape.text,
    COM_PROCESS_INFO: AnswerShape.query,
    COM_BINLOG_DUMP: AnswerShape.stream,
    COM_BINLOG_DUMP_GTID: AnswerShape.stream,
    COM_INIT_DB: AnswerShape.single,
    COM_SET_OPTION: AnswerShape.single,
    COM_STMT_RESET: AnswerShape.single,
  };
  for (const [name, shape] of Object.entries(shapes))
    t.equal(commandShape(Command[name as keyof typeof Command]), shape, name);
});

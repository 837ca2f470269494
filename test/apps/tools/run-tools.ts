import { readFile, writeFile } from 'node:fs/promises';
import type { Test } from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { findProgramIfAny } from '../../support/find-program.ts';
import { APP_ACCOUNT } from '../../support/replication-set.ts';
import type { AppTarget } from '../app-program.ts';
import { AppStage } from '../app-stage.ts';
import { runTool, type ToolRun } from './stock-tools.ts';

const SCHEMA = 'tools_shop';
const RESTORED = ['tools_back_a', 'tools_back_b'] as const;
/** What dumping, flushing and looking at others takes. */
const PRIVILEGES = 'RELOAD, PROCESS, LOCK TABLES, EVENT, SELECT, SHOW VIEW, TRIGGER, REPLICATION CLIENT';

const DUMP = ['mariadb-dump', 'mysqldump'];
const FULL = ['--routines', '--triggers', '--events', '--hex-blob'];
/** Each runs straight and through Sluice, and prints the same bytes. */
const DUMPS: ReadonlyArray<readonly string[]> = [
  ['--single-transaction', ...FULL],
  ['--lock-tables', ...FULL],
  ['--opt', '--skip-extended-insert', '--complete-insert', '--order-by-primary'],
  ['--single-transaction', '--quick', '--default-character-set=latin1'],
  ['--default-character-set=binary', '--skip-quick'],
  ['--compact', '--skip-opt', '--replace', '--tz-utc=0'],
  ['--no-data', '--add-drop-database', '--databases'],
  ['--xml', '--where=id<5', '--ignore-table=tools_shop.odd `name'],
  ['--lock-all-tables', '--flush-logs', '--no-create-info', '--insert-ignore'],
  ['--compatible=ansi', '--skip-set-charset'],
  ['--single-transaction', '--master-data=2'],
];

export async function runTools(t: Test, flavor: ServerFlavor): Promise<void> {
  const stage = await AppStage.start(t, flavor);
  for (const schema of [SCHEMA, ...RESTORED]) await stage.createSchema(schema);
  await stage.set.primary.query(`GRANT ${PRIVILEGES} ON *.* TO '${APP_ACCOUNT.username}'@'%'`);
  const tools = new Tools(t, stage);
  await tools.fill();
  for (const args of DUMPS) await tools.same({ tool: await program(DUMP), args }, 'author');
  await tools.restore();
  await tools.import();
  await tools.administer();
  await tools.load();
  t.equal(stage.sluice.exit, null, 'Sluice still runs');
}

async function program(names: readonly string[]): Promise<string> {
  return (await findProgramIfAny(names)) ?? (names[0] as string);
}

class Tools {
  readonly #t: Test;
  readonly #stage: AppStage;

  constructor(t: Test, stage: AppStage) {
    this.#t = t;
    this.#stage = stage;
  }

  #straight(schema: string = SCHEMA): AppTarget {
    return this.#stage.target(this.#stage.set.primary, schema);
  }

  #through(schema: string = SCHEMA): AppTarget {
    return this.#stage.target(this.#stage.sluice, schema);
  }

  /** By the stock client, with its DELIMITER, through Sluice. */
  async fill(): Promise<void> {
    const sql = await readFile(new URL('shop.sql', import.meta.url), 'utf8');
    const client = { tool: await program(['mariadb', 'mysql']), args: ['--default-character-set=utf8mb4'] };
    const { code, stderr } = await runTool(client, this.#through(), sql);
    this.#t.same([code, stderr.slice(-300)], [0, ''], 'the shop is loaded through Sluice');
    await this.#stage.set.waitForSync();
  }

  async same(run: ToolRun, wanted = ''): Promise<void> {
    const name = `${run.tool.split('/').at(-1)} ${run.args.join(' ')}`;
    const direct = await runTool(run, this.#straight());
    const proxied = await runTool(run, this.#through());
    this.#t.same(
      [proxied.code, proxied.stderr],
      [direct.code, direct.stderr],
      `${name}: ends in the same way`,
    );
    this.#t.ok(direct.stdout.includes(wanted), `${name}: says something`);
    if (proxied.stdout === direct.stdout) this.#t.pass(`${name}: the same ${direct.stdout.length} bytes`);
    else
      this.#t.equal(
        difference(proxied.stdout, direct.stdout),
        difference(direct.stdout, proxied.stdout),
        name,
      );
  }

  /** A dump through Sluice goes in straight and through Sluice, and the tables are those of the dump. */
  async restore(): Promise<void> {
    const dump = { tool: await program(DUMP), args: ['--single-transaction', ...FULL] };
    const { stdout } = await runTool(dump, this.#through());
    const sql = Buffer.from(stdout, 'latin1');
    const client = { tool: await program(['mariadb', 'mysql']), args: [] };
    const sums: string[] = [await this.#checksums(SCHEMA)];
    for (const target of [this.#straight(RESTORED[0]), this.#through(RESTORED[1])]) {
      const { code, stderr } = await runTool(client, target, sql.toString('utf8'));
      this.#t.same([code, stderr.slice(-300)], [0, ''], `restored into ${target.schema}`);
      sums.push(await this.#checksums(target.schema));
    }
    this.#t.equal(sums[1], sums[0], 'what was restored straight has the same checksums');
    this.#t.equal(sums[2], sums[0], 'what was restored through Sluice has the same checksums');
  }

  async #checksums(schema: string): Promise<string> {
    const tables = ['author', 'book', '`odd ``name`', 'parted', 'log'].map((table) => `${schema}.${table}`);
    const rows = await this.#stage.set.primary.query(`CHECKSUM TABLE ${tables.join(', ')} EXTENDED`);
    return JSON.stringify(rows).replaceAll(schema, 'SCHEMA');
  }

  async import(): Promise<void> {
    const { directory } = this.#stage.sluice;
    const file = `${directory}/log.txt`;
    const lines = Array.from({ length: 5000 }, (_, n) => `${n};"řádek ${n}"`);
    await writeFile(file, `${lines.join('\r\n')}\r\n`);
    const args = [
      '--local',
      '--fields-terminated-by=;',
      '--fields-optionally-enclosed-by="',
      '--lines-terminated-by=\\r\\n',
      '--delete',
      '--verbose',
    ];
    const tool = await program(['mariadb-import', 'mysqlimport']);
    for (const [target, schema] of [
      [this.#straight(RESTORED[0]), RESTORED[0]],
      [this.#through(RESTORED[1]), RESTORED[1]],
    ] as const) {
      const { code, stdout } = await runTool(
        { tool, args: [...args, '--default-character-set=utf8mb4'], operands: [schema, file] },
        target,
      );
      this.#t.equal(code, 0, stdout);
      this.#t.match(stdout, 'Records: 5000  Deleted: 0  Skipped: 0  Warnings: 0');
    }
    this.#t.equal(
      await this.#checksums(RESTORED[1]),
      await this.#checksums(RESTORED[0]),
      'imported the same',
    );
  }

  async administer(): Promise<void> {
    const check = await program(['mariadb-check', 'mysqlcheck']);
    for (const args of [['--check', '--extended'], ['--analyze'], ['--auto-repair']]) {
      await this.same({ tool: check, args }, 'author');
    }
    // The table that is MyISAM would be up to date the second time.
    await this.same({ tool: check, args: ['--optimize'], operands: [SCHEMA, 'author', 'book'] }, 'author');
    const show = await program(['mariadb-show', 'mysqlshow']);
    await this.same({ tool: show, args: ['--count'] }, 'author');
    await this.same({ tool: show, args: ['--keys'], operands: [SCHEMA, 'book'] }, 'by_author');
    await this.same({ tool: show, args: ['--verbose'], operands: ['tools\\_%'] }, 'tools');
    const admin = await program(['mariadb-admin', 'mysqladmin']);
    const commands = ['ping', 'flush-tables', 'flush-privileges', 'refresh', 'flush-hosts', 'flush-status'];
    for (const command of commands) await this.same({ tool: admin, args: [], operands: [command] });
    for (const [command, wanted] of Object.entries({
      status: 'Uptime',
      version: 'TCP/IP',
      processlist: 'Query',
      'extended-status': 'Threads_connected',
      variables: 'sql_mode',
    })) {
      const { code, stdout } = await runTool({ tool: admin, args: [], operands: [command] }, this.#through());
      this.#t.equal(code, 0, command);
      this.#t.match(stdout, wanted);
    }
    await this.same({ tool: admin, args: [], operands: ['create', `${SCHEMA}_more`] });
    await this.same({ tool: admin, args: ['--force'], operands: ['drop', `${SCHEMA}_more`] });
  }

  /** Many clients of the stock load generator on few server connections. */
  async load(): Promise<void> {
    const slap = await findProgramIfAny(['mariadb-slap', 'mysqlslap']);
    if (slap === null) return;
    const run = {
      tool: slap,
      args: [
        '--concurrency=20',
        '--iterations=2',
        '--number-of-queries=400',
        `--create-schema=${SCHEMA}`,
        '--no-drop',
        '--commit=5',
        '--detach=7',
        "--query=SELECT COUNT(*) FROM book WHERE id > 5;INSERT INTO log VALUES (1, 'slap');SELECT title FROM book WHERE id = 3",
      ],
      operands: [],
    };
    const rows = async (): Promise<number> =>
      Number(
        await this.#stage.set.primary.queryValue(`SELECT COUNT(*) FROM ${SCHEMA}.log WHERE what = 'slap'`),
      );
    const counts: number[] = [];
    for (const target of [this.#straight(), this.#through()]) {
      const before = await rows();
      const { code, stderr } = await runTool(run, target);
      this.#t.same([code, stderr.slice(-300)], [0, ''], 'the load generator ends well');
      counts.push((await rows()) - before);
    }
    this.#t.equal(counts[1], counts[0], 'every write counts');
  }
}

function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return one.slice(Math.max(0, at - 200), at + 200);
}

import { AdminError, quoted } from '../admin-error.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';
import { asAdminErrors } from './runtime-words.ts';

/** By what ProxySQL calls them. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  'MYSQL USERS': ['mysql_users'],
  'MYSQL SERVERS': ['mysql_servers'],
  'MYSQL QUERY RULES': ['mysql_query_rules'],
  'MYSQL VARIABLES': ['mysql-'],
  'ADMIN VARIABLES': ['admin-'],
  'SLUICE VARIABLES': ['sluice-'],
  'MYSQL REPLICATION HOSTGROUPS': ['mysql_replication_hostgroups'],
  'MYSQL GROUP REPLICATION HOSTGROUPS': ['mysql_group_replication_hostgroups'],
  'MYSQL GALERA HOSTGROUPS': ['mysql_galera_hostgroups'],
  'MYSQL AURORA HOSTGROUPS': ['mysql_aws_aurora_hostgroups'],
  'MYSQL HOSTGROUP ATTRIBUTES': ['mysql_hostgroup_attributes'],
  'MYSQL SERVERS SSL PARAMS': ['mysql_servers_ssl_params'],
};
const COLUMNS = [
  { name: 'table', meaning: 'What was summed up' },
  { name: 'checksum', meaning: '`0x` and 16 digits, the same for the same rows in any order' },
] as const;

async function run({ match, state }: CommandCall): Promise<CommandAnswer> {
  const [, layer = '', what = ''] = match;
  const name = what.toUpperCase().replace(/^(?!MYSQL|ADMIN|SLUICE)/, 'MYSQL ');
  const tables = TABLES[name];
  if (tables === undefined)
    throw new AdminError(
      'syntax',
      `${quoted(what)} has no checksum; there are ${Object.keys(TABLES).join(', ')}`,
    );
  const from = /^DISK/i.test(layer) ? 'disk' : 'memory';
  const checksum = await state.runtime.checksum(from, tables);
  return { kind: 'rows', columns: COLUMNS, rows: [[name.toLowerCase().replaceAll(' ', '_'), checksum]] };
}

export const checksum: AdminCommand = {
  name: 'CHECKSUM',
  syntax: 'CHECKSUM [DISK | MEMORY] {MYSQL USERS | MYSQL SERVERS | MYSQL QUERY RULES | MYSQL VARIABLES | …}',
  help: 'One number for the content of a table in MEMORY, or on DISK',
  pattern: /^CHECKSUM (DISK |MEMORY |MEM )?(\w+(?: \w+){0,4})$/i,
  access: AdminRole.admin,
  changes: false,
  columns: COLUMNS,
  execute: (call) => asAdminErrors(() => run(call)),
};

export const globalChecksum: AdminCommand = {
  name: 'SELECT GLOBAL_CHECKSUM',
  syntax: 'SELECT GLOBAL_CHECKSUM()',
  help: 'One number for all that is in force',
  pattern: /^SELECT GLOBAL_CHECKSUM ?\( ?\)$/i,
  access: AdminRole.admin,
  changes: false,
  columns: [{ name: 'CHECKSUM', meaning: '`0x` and 16 digits' }],
  execute: ({ state }) =>
    asAdminErrors(async () => {
      const tables = [
        ...Object.values(TABLES).flat(),
        'mysql_query_rules_fast_routing',
        'mysql_firewall_',
        'sluice_cache_rules',
      ];
      const value = await state.runtime.checksum('runtime', tables);
      return { kind: 'rows', columns: [{ name: 'CHECKSUM' }], rows: [[value]] };
    }),
};

import { describePolicy, rampOf } from '../../../topology/balancing.ts';
import type { RuledHostgroup, RuledMember } from '../../../topology/hostgroup-membership.ts';
import type { CounterSnapshot, ServerCounters } from '../../metrics/counter-snapshot.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface Row {
  readonly hostgroup: RuledHostgroup;
  /** null for a hostgroup without servers. */
  readonly member: RuledMember | null;
  readonly server: ServerCounters | null;
}

const COLUMNS: readonly ComputedColumn<Row>[] = [
  { name: 'hostgroup', type: 'number', meaning: 'Its number', value: ({ hostgroup }) => hostgroup.id },
  {
    name: 'kind',
    meaning:
      '`writer` and `reader` of a pair, whose servers change places by measured role; `static`: those that are listed for it',
    value: ({ hostgroup }) => hostgroup.kind,
  },
  {
    name: 'server',
    meaning: '`host:port`; NULL where the hostgroup has no server',
    value: ({ member }) => member?.address ?? null,
  },
  {
    name: 'role',
    meaning: '`primary`, `replica` or `unknown`, as measured',
    value: ({ server }) => server?.role ?? null,
  },
  {
    name: 'status',
    meaning: 'In this hostgroup: that of its row, or that of the server if it is worse',
    value: ({ member }) => member?.status ?? null,
  },
  {
    name: 'verdict',
    meaning:
      '`fit`, or why it serves no statements here: `shunned`, `offline-soft`, `offline-hard`, `no-weight`, `role-unknown`, `not-replicating`, `lag-unknown`, `lagging`, `too-slow`',
    value: ({ member }) => member?.verdict ?? null,
  },
  {
    name: 'weight',
    type: 'number',
    meaning: 'Its share of the reads of the hostgroup',
    value: ({ member }) => member?.weight ?? null,
  },
  {
    name: 'weight_now',
    meaning: 'As much of it as counts now: a server that has come back gets its share little by little',
    type: 'real',
    value: ({ member }) => (member === null ? null : weightNow(member)),
  },
  {
    name: 'policy',
    meaning:
      'How reads are shared among its servers: `least-connections`, `weighted`, `peak-ewma`, or `consistent-hash` with what it keeps together',
    value: ({ hostgroup }) => describePolicy(hostgroup),
  },
  {
    name: 'zone',
    meaning: 'Availability zone of the server; empty where none is configured',
    value: ({ member }) => member?.zone ?? null,
  },
  {
    name: 'lag_ms',
    type: 'number',
    meaning: 'Milliseconds behind its source; NULL where not known or not a replica',
    value: ({ server }) => (server?.lagMs == null ? null : Math.round(server.lagMs)),
  },
  {
    name: 'in_use',
    type: 'number',
    meaning: 'Connections to the server that are checked out now, for any hostgroup',
    value: ({ server }) => server?.inUse ?? null,
  },
];

function weightNow({ weight, warming }: RuledMember): number {
  return Number((weight * rampOf(warming, Date.now())).toPrecision(3));
}

function rowsOf({ hostgroups, servers }: CounterSnapshot): Row[] {
  const byAddress = new Map(servers.map((server) => [server.address, server]));
  return hostgroups.flatMap((hostgroup): Row[] =>
    hostgroup.members.length === 0
      ? [{ hostgroup, member: null, server: null }]
      : hostgroup.members.map((member) => ({
          hostgroup,
          member,
          server: byAddress.get(member.address) ?? null,
        })),
  );
}

export const showHostgroups: AdminCommand = {
  name: 'SHOW HOSTGROUPS',
  syntax: 'SHOW HOSTGROUPS',
  help: 'Every hostgroup with its servers, and whether each is fit to serve it',
  pattern: /^SHOW HOSTGROUPS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(rowsOf(state.counters()), COLUMNS),
};

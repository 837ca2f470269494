/** What is done to the active Sluice, its keepalived or its host, and how all is made well again. */

import type { EntryStage, NodeName } from '../../test/integration/ha/entry-stage.ts';
import type { KeepalivedNode } from '../../test/integration/ha/keepalived-node.ts';

export interface Scene {
  readonly stage: EntryStage;
  /** Null behind HAProxy. */
  readonly nodes: Readonly<Record<NodeName, KeepalivedNode>> | null;
}

export interface Case {
  readonly name: string;
  readonly cause: (scene: Scene, active: NodeName) => Promise<void>;
  readonly repair: (scene: Scene, active: NodeName) => Promise<void>;
}

const sluiceCases: readonly Case[] = [
  {
    name: 'Sluice is killed',
    cause: ({ stage }, active) => stage.sluice(active).kill(),
    repair: ({ stage }, active) => stage.sluice(active).startAgain(),
  },
  {
    name: 'Sluice is stopped (SIGTERM)',
    cause: async ({ stage }, active) => stage.sluice(active).signal('SIGTERM'),
    repair: async ({ stage }, active) => {
      await stage.sluice(active).exited;
      await stage.sluice(active).startAgain();
    },
  },
  {
    name: 'Sluice is frozen',
    cause: async ({ stage }, active) => stage.sluice(active).signal('SIGSTOP'),
    repair: async ({ stage }, active) => stage.sluice(active).signal('SIGCONT'),
  },
  {
    name: 'its host is gone',
    cause: async ({ stage }, active) => stage.network.setLink(active, 'down'),
    repair: async ({ stage }, active) => stage.network.setLink(active, 'up'),
  },
];

export const haproxyCases = sluiceCases;

export const keepalivedCases: readonly Case[] = [
  ...sluiceCases,
  {
    name: 'keepalived is killed',
    cause: async ({ nodes }, active) => nodes?.[active].kill(),
    repair: async ({ nodes }, active) => nodes?.[active].start(),
  },
  {
    name: 'keepalived is stopped',
    cause: async ({ nodes }, active) => nodes?.[active].stop(),
    repair: async ({ nodes }, active) => nodes?.[active].start(),
  },
];

/**
 * What the machine, or the container, gives to this process: memory, processors, open files. Limits of control groups
 * hold for all below them, so that the smallest one on the way up counts.
 *
 * Version 1: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, version 2: .../cgroup-v2.html
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  /** Whole processors that threads can use at the same time; at least 1. */
  readonly cpus: number;
  /** Processors that a control group allows, e.g. 0.5; null where it sets no limit. */
  readonly cpuQuota: number | null;
  /** The smaller of the machine's memory and of the control group's limit. */
  readonly memoryBytes: number;
  /** Whether that is a limit, beyond which the process is killed. */
  readonly memoryIsLimited: boolean;
  /** Descriptors that this process may have; null where the system does not tell. */
  readonly openFiles: number | null;
}

export interface MachineSources {
  /** In front of `/proc` and of the paths of control groups. */
  readonly root?: string;
  readonly availableParallelism?: () => number;
  readonly totalmem?: () => number;
}

interface Hierarchy {
  /** The folders from the process's own group up to the highest one that can be seen. */
  readonly folders: readonly string[];
  readonly isVersion2: boolean;
}

/** Version 1 says "no limit" by the largest number of pages that there is. */
const UNLIMITED_FROM = 2 ** 60;

class ControlGroups {
  readonly #root: string;
  readonly #own: readonly string[];
  readonly #mounts: readonly string[];

  constructor(root: string) {
    this.#root = root;
    this.#own = this.read('/proc/self/cgroup').split('\n');
    this.#mounts = this.read('/proc/self/mountinfo').split('\n');
  }

  /** Empty where it cannot be read. */
  read(path: string): string {
    try {
      return readFileSync(join(this.#root, path), 'utf8');
    } catch {
      return '';
    }
  }

  memoryBytes(): number | null {
    return this.#least('memory', ({ folders, isVersion2 }) =>
      folders.map((folder) =>
        this.#number(join(folder, isVersion2 ? 'memory.max' : 'memory.limit_in_bytes')),
      ),
    );
  }

  cpus(): number | null {
    return this.#least('cpu', ({ folders, isVersion2 }) =>
      folders.map((folder) => {
        const [quota, period] = isVersion2
          ? this.read(join(folder, 'cpu.max')).split(/\s+/)
          : [this.read(join(folder, 'cpu.cfs_quota_us')), this.read(join(folder, 'cpu.cfs_period_us'))];
        const share = Number.parseInt(quota ?? '', 10) / Number.parseInt(period ?? '', 10);
        return share > 0 && Number.isFinite(share) ? share : null;
      }),
    );
  }

  #least(controller: string, limitsOf: (hierarchy: Hierarchy) => (number | null)[]): number | null {
    const limits = this.#hierarchies(controller).flatMap(limitsOf);
    const known = limits.filter((limit) => limit !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Both versions may be mounted, each with some of the controllers. */
  #hierarchies(controller: string): Hierarchy[] {
    return this.#own.flatMap((line): Hierarchy[] => {
      const [, id, controllers = '', path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
      if (path === undefined) return [];
      const isVersion2 = id === '0' && controllers === '';
      if (!isVersion2 && !controllers.split(',').includes(controller)) return [];
      const folders = this.#foldersOf(path, isVersion2 ? null : controller);
      return folders.length === 0 ? [] : [{ folders, isVersion2 }];
    });
  }

  /**
   * Of the line of `/proc/self/mountinfo` (proc(5)): the fourth field is which part of the hierarchy is mounted, in a
   * container mostly its own group, the fifth where.
   */
  #foldersOf(path: string, controller: string | null): string[] {
    for (const line of this.#mounts) {
      const [before = '', after = ''] = line.split(' - ');
      const [type, , options = ''] = after.split(' ');
      if (type !== (controller === null ? 'cgroup2' : 'cgroup')) continue;
      if (controller !== null && !options.split(',').includes(controller)) continue;
      const [, , , top = '/', mounted = ''] = before.split(' ');
      return ancestors(path, top).map((each) => join(mounted, each));
    }
    return [];
  }

  #number(path: string): number | null {
    const text = this.read(path).trim();
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value < UNLIMITED_FROM ? value : null;
  }
}

/** From the group up to what is mounted; a path that is not below it is that of another namespace. */
function ancestors(path: string, top: string): string[] {
  const isBelow = top === '/' || path === top || path.startsWith(`${top}/`);
  const parts = (isBelow && top !== '/' ? path.slice(top.length) : isBelow ? path : '/')
    .split('/')
    .filter((part) => part !== '');
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`).concat('/');
}

/** Node raises its own limit as far as it may: so the hard one counts. */
function openFilesOf(limits: string): number | null {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  const value = Number(hard);
  return Number.isFinite(value) && value > 0 ? value : null;
}

export function readMachine(sources: MachineSources = {}): Machine {
  const { root = '/' } = sources;
  const groups = new ControlGroups(root);
  const cpuQuota = groups.cpus();
  const available = (sources.availableParallelism ?? availableParallelism)();
  const memory = (sources.totalmem ?? totalmem)();
  const limit = groups.memoryBytes();
  return {
    cpus: Math.max(1, Math.min(available, cpuQuota === null ? available : Math.ceil(cpuQuota))),
    cpuQuota: cpuQuota !== null && cpuQuota < available ? cpuQuota : null,
    memoryBytes: Math.min(memory, limit ?? memory),
    memoryIsLimited: limit !== null && limit < memory,
    openFiles: openFilesOf(groups.read('/proc/self/limits')),
  };
}

let current: Machine | null = null;

/** This one; limits that change while a process runs are not seen. */
export function thisMachine(): Machine {
  current ??= readMachine();
  return current;
}

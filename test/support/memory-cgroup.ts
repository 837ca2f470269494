/**
 * A control group with a limit of memory, for processes that are started in it. Version 1 is made where its controller is
 * mounted, version 2 where the controller is given to children of the root group.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from './wait-until.ts';

const VERSION_1 = '/sys/fs/cgroup/memory';
const VERSION_2 = '/sys/fs/cgroup';

export interface MemoryReport {
  /** The most at a time, with the page cache that the kernel counts there. */
  readonly mostBytes: number;
  /** Processes that the kernel has ended. */
  readonly kills: number;
}

export class MemoryCgroup {
  readonly #folder: string;
  readonly #isVersion1: boolean;

  private constructor(folder: string, isVersion1: boolean) {
    this.#folder = folder;
    this.#isVersion1 = isVersion1;
  }

  /** @returns why there can be none, where that is so */
  static make(name: string, limitBytes: number): MemoryCgroup | string {
    const isVersion1 = existsSync(join(VERSION_1, 'memory.limit_in_bytes'));
    const folder = join(isVersion1 ? VERSION_1 : VERSION_2, `sluice-${name}-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch (error) {
      return `no control group can be made (${(error as NodeJS.ErrnoException).code})`;
    }
    const group = new MemoryCgroup(folder, isVersion1);
    try {
      writeFileSync(join(folder, isVersion1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limitBytes));
      return group;
    } catch (error) {
      rmdirSync(folder);
      return `control groups have no memory controller here (${(error as NodeJS.ErrnoException).code})`;
    }
  }

  /** In front of a command: it becomes the command, in this group. */
  get runBy(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${join(this.#folder, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  report(): MemoryReport {
    const read = (name: string) => readFileSync(join(this.#folder, name), 'utf8');
    const [peak, events] = this.#isVersion1
      ? [read('memory.max_usage_in_bytes'), read('memory.oom_control')]
      : [read('memory.peak'), read('memory.events')];
    return { mostBytes: Number(peak), kills: Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0) };
  }

  /** Waits until its processes are gone. */
  async remove(): Promise<void> {
    await waitUntil('the control group is empty', () => {
      try {
        rmdirSync(this.#folder);
        return true;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT';
      }
    });
  }
}

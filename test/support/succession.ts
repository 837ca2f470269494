/** A Sluice and the processes that take over from it: they are not the children of the test. */

import { readFileSync } from 'node:fs';
import { disownChild, ownChild } from './owned-resources.ts';
import { type LogLine, SluiceProcess } from './sluice-process.ts';
import { waitUntil } from './wait-until.ts';

const HANDOVER_MS = 40_000;
const STOP_MS = 20_000;

/** All is as before; what Sluice says why. */
export class HandoverRefused extends Error {
  constructor(reason: string) {
    super(`not restarted: ${reason}`);
  }
}

export class Succession {
  readonly sluice: SluiceProcess;
  /** The oldest first; the last one is the one that lets clients in. */
  readonly pids: number[];

  constructor(sluice: SluiceProcess) {
    this.sluice = sluice;
    this.pids = [sluice.pid];
  }

  static async startFor(...[set, options]: Parameters<typeof SluiceProcess.startFor>): Promise<Succession> {
    return new Succession(await SluiceProcess.startFor(set, options));
  }

  get pid(): number {
    return this.pids.at(-1) ?? this.sluice.pid;
  }

  /**
   * Resolves when a new process lets clients in.
   * @throws HandoverRefused
   */
  async handOver(ask: (pid: number) => void = (pid) => process.kill(pid, 'SIGUSR2')): Promise<number> {
    const before = this.sluice.log.length;
    ask(this.pid);
    const line = await waitUntil(
      'another process is ready',
      () => this.#ready(before) ?? this.#refused(before),
      {
        timeoutMs: HANDOVER_MS,
      },
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.sluice.logTail()}`);
    });
    if (line.msg !== 'ready') throw new HandoverRefused(String(line.reason));
    const pid = Number(line.pid);
    ownChild(pid);
    this.pids.push(pid);
    return pid;
  }

  #refused(from: number): LogLine | undefined {
    return this.sluice.log.slice(from).find(({ msg }) => msg === 'not restarted, all is as before');
  }

  #ready(from: number): LogLine | undefined {
    return this.sluice.log
      .slice(from)
      .find(({ msg, pid }) => msg === 'ready' && !this.pids.includes(Number(pid)));
  }

  async untilGone(pid: number, timeoutMs = STOP_MS): Promise<void> {
    await waitUntil(`process ${pid} has ended`, () => !this.lives(pid), { timeoutMs }).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${this.sluice.logTail()}`);
      },
    );
    disownChild(pid);
  }

  /** Its number may be somebody else's by now, who is not to be taken for it, nor killed. */
  lives(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(this.sluice.configFile);
    } catch {
      return false;
    }
  }

  /** Of the processes from the second on: none is left, whatever it was doing. */
  async dispose(): Promise<void> {
    const children = this.pids.slice(1).filter((pid) => this.lives(pid));
    for (const pid of children) process.kill(pid, 'SIGKILL');
    for (const pid of children) await this.untilGone(pid);
    await this.sluice.dispose();
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

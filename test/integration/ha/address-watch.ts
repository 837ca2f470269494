/** Who has an address, and since when: every change is told by the kernel of each host. */

import { createInterface } from 'node:readline';
import { OwnedChild } from '../../support/child-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { EntryStage, NodeName } from './entry-stage.ts';

export interface AddressChange {
  readonly node: NodeName;
  readonly has: boolean;
  /** By `performance.now()`, when this process heard of it. */
  readonly atMs: number;
}

export class AddressWatch {
  readonly changes: AddressChange[] = [];
  readonly #children: OwnedChild[];

  private constructor(children: OwnedChild[]) {
    this.#children = children;
  }

  static async start(stage: EntryStage, nodes: readonly NodeName[]): Promise<AddressWatch> {
    const address = `inet ${stage.network.spareAddress}/`;
    const watch = new AddressWatch([]);
    for (const node of nodes) {
      const [command = '', ...before] = stage.hostOf(node).runBy;
      const child = await OwnedChild.spawn({ command, args: [...before, 'ip', '-o', 'monitor', 'address'] });
      watch.#children.push(child);
      if (child.process.stdout === null) throw new Error('ip monitor has no output');
      createInterface({ input: child.process.stdout }).on('line', (line) => {
        if (!line.includes(address)) return;
        watch.changes.push({ node, has: !line.startsWith('Deleted'), atMs: performance.now() });
      });
    }
    return watch;
  }

  holders(): readonly NodeName[] {
    const last = new Map(this.changes.map(({ node, has }) => [node, has]));
    return [...last].filter(([, has]) => has).map(([node]) => node);
  }

  /** Waits until this one has it, and nobody else. */
  async waitForOnly(node: NodeName, timeoutMs = 15_000): Promise<void> {
    await waitUntil(
      `${node} alone has the address`,
      () => {
        const holders = this.holders();
        return holders.length === 1 && holders[0] === node;
      },
      { timeoutMs },
    );
  }

  /** When this one got it, the first time since then; by `performance.now()`, infinite if it did not. */
  takenAtMs(node: NodeName, sinceMs: number): number {
    const taken = this.changes.find((change) => change.node === node && change.has && change.atMs >= sinceMs);
    return taken?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** How long two had it at the same time since then, in milliseconds. */
  sharedMs(sinceMs: number): number {
    const holders = new Set<NodeName>();
    let sharedMs = 0;
    let beganMs: number | null = null;
    for (const { node, has, atMs } of this.changes) {
      if (has) holders.add(node);
      else holders.delete(node);
      if (holders.size > 1) beganMs ??= Math.max(atMs, sinceMs);
      else if (beganMs !== null) {
        sharedMs += Math.max(0, atMs - beganMs);
        beganMs = null;
      }
    }
    return beganMs === null ? sharedMs : sharedMs + performance.now() - beganMs;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end('SIGTERM', 5000)));
  }
}

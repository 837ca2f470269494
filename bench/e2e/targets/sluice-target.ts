import { SluiceProcess } from '../../../test/support/sluice-process.ts';
import { type Target, TargetName, type TargetOptions } from './target.ts';

/** Sluice as users run it: full routing, reads to the replicas, defaults for everything but what a comparison needs. */
export async function startSluice({ set, threads, sluiceArgs }: TargetOptions): Promise<Target> {
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: threads,
      monitor: { intervalMs: 1000 },
      log: { level: 'warn' },
    },
    args: sluiceArgs,
  });
  return {
    name: TargetName.sluice,
    port: sluice.port,
    pid: sluice.pid,
    version: `Node ${process.versions.node}`,
    setup: `workers ${threads}, reads to ${set.replicas.length} replicas${sluiceArgs.length > 0 ? `, ${sluiceArgs.join(' ')}` : ''}`,
    stop: async () => {
      await sluice.kill();
      await sluice.dispose();
    },
  };
}

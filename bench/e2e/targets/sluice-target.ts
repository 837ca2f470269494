import { SluiceProcess } from '../../../test/support/sluice-process.ts';
import { type Target, TargetName, type TargetOptions } from './target.ts';

const DEFAULT_POOL_CONNECTIONS = 100;
/** For checks, and for what is being opened while something else is being closed. */
const SPARE_CONNECTIONS = 50;

/** Sluice as users run it: full routing, reads to the replicas, defaults for everything but what a comparison needs. */
export async function startSluice(options: TargetOptions): Promise<Target> {
  const { set, threads, sluiceArgs } = options;
  const maxConnections = poolConnections(options.maxBusyClients);
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: threads,
      monitor: { intervalMs: 1000 },
      pool: { maxConnections },
      log: { level: 'warn' },
    },
    args: sluiceArgs,
  });
  return {
    name: TargetName.sluice,
    port: sluice.port,
    pid: sluice.pid,
    version: `Node ${process.versions.node}`,
    setup: `workers ${threads}, pool of ${maxConnections}, reads to ${set.replicas.length} replicas${sluiceArgs.length > 0 ? `, ${sluiceArgs.join(' ')}` : ''}`,
    stop: async () => {
      await sluice.kill();
      await sluice.dispose();
    },
  };
}

/**
 * Clients in a transaction hold a connection: the others (ProxySQL's default is 1000)
 * have one for each, so Sluice gets as many. Where its default does, it keeps it.
 */
export function poolConnections(maxBusyClients: number): number {
  return Math.max(DEFAULT_POOL_CONNECTIONS, maxBusyClients + SPARE_CONNECTIONS);
}

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateAuthority, LOCAL_NAMES } from '../../../test/support/certificates.ts';
import { nodeProgram } from '../../../test/support/node-program.ts';
import { mergeConfig, SluiceProcess } from '../../../test/support/sluice-process.ts';
import { checkoutDirectory } from '../../../test/support/sluice-script.ts';
import { type BaseSluice, type Target, TargetName, type TargetOptions } from './target.ts';

const DEFAULT_POOL_CONNECTIONS = 100;
/** For checks, and for what is being opened while something else is being closed. */
const SPARE_CONNECTIONS = 50;

/** Sluice as users run it: full routing, reads to the replicas, defaults for everything but what a comparison needs. */
export function startSluice(options: TargetOptions): Promise<Target> {
  return start(TargetName.sluice, { directory: checkoutDirectory, args: options.sluiceArgs }, options);
}

export function startBase(options: TargetOptions): Promise<Target> {
  if (options.base === null) throw new Error('neither BENCH_BASE nor --base-args says what to compare with');
  return start(TargetName.base, options.base, options);
}

async function start(
  name: TargetName,
  { directory, args }: BaseSluice,
  options: TargetOptions,
): Promise<Target> {
  const { set, threads } = options;
  const maxConnections = poolConnections(options.maxBusyClients);
  const authority = await CertificateAuthority.create();
  const tls = await authority.issue('sluice', LOCAL_NAMES);
  await prepareTlsClient(authority);
  const config = {
    workers: threads,
    monitor: { intervalMs: 1000 },
    pool: { maxConnections },
    log: { level: 'warn' },
    tls,
  };
  const sluice = await SluiceProcess.startFor(set, {
    config: mergeConfig(config, options.sluiceConfig ?? {}),
    args,
    command: { program: await nodeProgram(), args: [join(directory, 'src', 'main.ts')] },
  });
  return {
    name,
    port: sluice.port,
    pid: sluice.pid,
    tlsDirectory: authority.directory,
    version: `Node ${process.versions.node}`,
    setup: `workers ${threads}, pool of ${maxConnections}, reads to ${set.replicas.length} replicas${args.length > 0 ? `, ${args.join(' ')}` : ''}, in ${directory}`,
    stop: async () => {
      await sluice.kill();
      await sluice.dispose();
      authority.dispose();
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

/** The names under which sysbench looks for its files. */
async function prepareTlsClient(authority: CertificateAuthority): Promise<void> {
  const { certificate, key } = await authority.issue('client');
  copyFileSync(certificate, join(authority.directory, 'client-cert.pem'));
  copyFileSync(key, join(authority.directory, 'client-key.pem'));
  copyFileSync(authority.file, join(authority.directory, 'cacert.pem'));
}

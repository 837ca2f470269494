import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../../test/support/find-program.ts';
import { freePort } from '../../../test/support/ports.ts';
import { ProxyChild, versionOf } from './proxy-child.ts';
import { type Target, TargetName, type TargetOptions } from './target.ts';

/** File descriptors that HAProxy wants beside two for every connection. */
const SPARE_DESCRIPTORS = 200;
const WANTED_CONNECTIONS = 7_000;

/** HAProxy in TCP mode: it passes bytes on, to the primary only, since it cannot tell a read from a write. */
export async function startHaproxy({ set, threads }: TargetOptions): Promise<Target> {
  const program = await findProgram(['haproxy']);
  const port = await freePort();
  const maxConnections = connectionsWithin(await readFile('/proc/self/limits', 'utf8'));
  const config = haproxyConfig({ port, serverPort: set.primary.port, threads, maxConnections });
  const child = await ProxyChild.start('haproxy', program, port, async (directory) => {
    const file = join(directory, 'haproxy.cfg');
    await writeFile(file, config);
    // -db: one process in the foreground, so that its pid is the one that works.
    return ['-db', '-f', file];
  });
  return {
    name: TargetName.haproxy,
    port,
    pid: child.pid,
    tlsDirectory: null,
    version: await versionOf(program, '-v'),
    setup: `mode tcp, nbthread ${threads}, to the primary`,
    stop: () => child.stop(),
  };
}

/** HAProxy refuses to start with a `maxconn` that the descriptor limit cannot hold. */
export function connectionsWithin(limits: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined || soft === 'unlimited') return WANTED_CONNECTIONS;
  return Math.max(1, Math.min(WANTED_CONNECTIONS, Math.floor((Number(soft) - SPARE_DESCRIPTORS) / 2)));
}

export function haproxyConfig(options: {
  readonly port: number;
  readonly serverPort: number;
  readonly threads: number;
  readonly maxConnections: number;
}): string {
  return `global
  nbthread ${options.threads}
  maxconn ${options.maxConnections}

defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h

listen mysql
  bind 127.0.0.1:${options.port} backlog 4096
  maxconn ${options.maxConnections}
  server primary 127.0.0.1:${options.serverPort}
`;
}

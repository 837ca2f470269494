import { type Target, TargetName, type TargetOptions } from './target.ts';

/** Clients talk to the primary themselves. */
export async function startDirect({ set }: TargetOptions): Promise<Target> {
  return {
    name: TargetName.direct,
    port: set.primary.port,
    pid: null,
    tlsDirectory: null,
    version: `server ${(await set.primary.queryValue('SELECT VERSION()')) ?? 'unknown'}`,
    setup: 'straight to the primary',
    stop: () => Promise.resolve(),
  };
}

/**
 * Everything a test starts or makes outside its own process: child processes and temporary directories. They go
 * when the process goes, however that happens: normal end, uncaught error, SIGINT, SIGTERM or SIGHUP.
 *
 * (SIGKILL cannot be caught: `test/run.ts` covers that by running every file in a process group of its own.)
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const childPids = new Set<number>();
const directories = new Set<string>();
let hooked = false;

type SignalHandler = (signal: NodeJS.Signals, exitCode: number) => void;
let signalHandler: SignalHandler = (_signal, exitCode) => process.exit(exitCode);

/** For a program that wants to end in its own order (the demo): it must end the process itself. */
export function replaceSignalHandler(handler: SignalHandler): void {
  hookExit();
  signalHandler = handler;
}

/** Kill this process when ours ends; call `disownChild` once it has ended by itself. */
export function ownChild(pid: number): void {
  hookExit();
  childPids.add(pid);
}

export function disownChild(pid: number): void {
  childPids.delete(pid);
}

/** A new directory under the system's temporary one (or another one), removed when the process ends. */
export function makeTemporaryDirectory(prefix: string, parent = tmpdir()): string {
  hookExit();
  const directory = mkdtempSync(join(parent, `sluice-${prefix}-`));
  directories.add(directory);
  return directory;
}

export function removeTemporaryDirectory(directory: string): void {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function hookExit(): void {
  if (hooked) return;
  hooked = true;
  process.on('exit', releaseAll);
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => signalHandler(signal, 128 + number));
  }
}

function releaseAll(): void {
  for (const pid of childPids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
  childPids.clear();
  for (const directory of directories) {
    // A server that is still dying may create a file between two steps of the removal.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
  directories.clear();
}

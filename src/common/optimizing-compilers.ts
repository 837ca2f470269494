/**
 * V8's optimizing compilers, of all threads of the process. They are 6 MiB of Node's program and 2 MiB of what they make. V8
 * counts calls, however slowly they come, so that a process that stands idle brings them in within a minute for its checks,
 * which gain nothing by them.
 */

import { setFlagsFromString } from 'node:v8';

/** Whoever starts Node with one of these wants it so; under `--jitless` V8 breaks when they are released. */
const CHOSEN =
  /^--?(?:no-?)?(?:jitless|lite-mode|max-opt|opt|turbofan|maglev|predictable|experimental-.*config)/;

/** @param options of this process: `process.execArgv`, and the words of `NODE_OPTIONS` */
export function mayHoldCompilers(options: readonly string[]): boolean {
  return !options.some((option) => CHOSEN.test(option.replaceAll('_', '-')));
}

export function holdCompilers(): void {
  setFlagsFromString('--no-turbofan');
  setFlagsFromString('--no-maglev');
}

/** What has been called often enough is compiled when it is called again, in threads that have started meanwhile, too. */
export function releaseCompilers(): void {
  setFlagsFromString('--turbofan');
  setFlagsFromString('--maglev');
}

/** The chart by Go's own templates, where Go and sprig are installed, as Debian's packages have them. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgramIfAny } from '../find-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../owned-resources.ts';
import type { ValueMap } from './template-functions.ts';

const GOPATH = '/usr/share/gocode';
const PACKAGES = ['Masterminds/sprig', 'ghodss/yaml'];

/** Why it cannot be run; null if it can. */
export async function whyNoReference(): Promise<string | null> {
  const missing = PACKAGES.some((name) => !existsSync(`${GOPATH}/src/github.com/${name}`));
  if ((await findProgramIfAny(['go'])) !== null && !missing) return null;
  return 'apt: golang-go golang-github-masterminds-sprig-dev golang-github-ghodss-yaml-dev';
}

export class ReferenceRenderer {
  readonly #directory = makeTemporaryDirectory('helm');
  readonly #program = join(this.#directory, 'reference');

  /** @throws Error with what Go says */
  constructor() {
    const source = fileURLToPath(new URL('reference.go', import.meta.url));
    const env = { ...process.env, GOPATH, GO111MODULE: 'off', GOFLAGS: '' };
    run('go', ['build', '-o', this.#program, source], '', env);
  }

  /** The files of the chart's templates. @throws Error with what Go says */
  render(directory: string, root: ValueMap): ReadonlyMap<string, string> {
    const stdout = run(this.#program, [], JSON.stringify({ directory, root }));
    return new Map(Object.entries(JSON.parse(stdout) as Record<string, string>));
  }

  dispose(): void {
    removeTemporaryDirectory(this.#directory);
  }
}

function run(program: string, args: readonly string[], input: string, env = process.env): string {
  const { status, stdout, stderr } = spawnSync(program, args, { env, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

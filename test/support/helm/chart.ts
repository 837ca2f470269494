/** `helm template`, for a chart without dependencies: values, their schema, and what the templates make of them. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import type { Value, ValueMap } from './template-functions.ts';
import { type Node, parseTemplate } from './template-parser.ts';
import { TemplateRunner } from './template-runner.ts';

export interface Release {
  readonly name: string;
  readonly namespace: string;
}

export interface RenderedChart {
  /** By file name, such as `tests/ready.yaml`; the empty ones as well. */
  readonly files: ReadonlyMap<string, string>;
  readonly notes: string;
}

export class Chart {
  readonly directory: string;
  readonly defaults: ValueMap;
  readonly #metadata: ValueMap;
  readonly #files = new Map<string, readonly Node[]>();
  readonly #runner: TemplateRunner;
  /** Empty for one that is not there, as Helm has it. */
  readonly #fileOf = (name: Value): string => {
    const file = join(this.directory, String(name));
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  readonly #schema: (values: unknown) => string[];

  constructor(directory: string) {
    this.directory = directory;
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
    this.#metadata = parse(read('Chart.yaml'), { version: '1.1' }) as ValueMap;
    this.defaults = parse(read('values.yaml'), { version: '1.1' }) as ValueMap;
    this.#schema = schemaCheck(JSON.parse(read('values.schema.json')) as object);
    const defined = new Map<string, readonly Node[]>();
    for (const name of globSync('templates/**/*.{yaml,tpl,txt}', { cwd: directory }).toSorted()) {
      const nodes = parseTemplate(read(name), defined);
      if (!basename(name).startsWith('_')) this.#files.set(name.slice('templates/'.length), nodes);
    }
    this.#runner = new TemplateRunner(defined);
  }

  /**
   * What templates see.
   * @throws Error for values that do not fit values.schema.json
   */
  root(values: ValueMap, release: Release): ValueMap {
    const merged = coalesce(this.defaults, values);
    const problems = this.#schema(merged);
    if (problems.length > 0) throw new Error(`values.schema.json: ${problems.join('; ')}`);
    const { name, version, appVersion } = this.#metadata;
    return {
      Values: merged,
      Release: { Name: release.name, Namespace: release.namespace, Service: 'Helm' },
      Chart: { Name: name, Version: version, AppVersion: appVersion },
      Files: { Get: this.#fileOf } as unknown as ValueMap,
    };
  }

  /** @throws Error for values that Helm would refuse: by the schema, or by `fail` and `required` */
  render(values: ValueMap, release: Release): RenderedChart {
    const root = this.root(values, release);
    const files = new Map<string, string>();
    for (const [file, nodes] of this.#files) files.set(file, this.#runner.run(nodes, root));
    const notes = files.get('NOTES.txt') ?? '';
    files.delete('NOTES.txt');
    return { files, notes };
  }
}

function schemaCheck(schema: object): (values: unknown) => string[] {
  // Keys that begin with x- are for editors; formats are not checked by Helm either.
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  return (values) => {
    if (validate(values)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** As Helm lays values over a chart's own: maps are merged, null takes a key away. */
export function coalesce(defaults: ValueMap, values: ValueMap): ValueMap {
  const merged: Record<string, Value> = structuredClone({ ...defaults });
  for (const [key, value] of Object.entries(values)) {
    const present = merged[key];
    const isSection = (one: Value): one is ValueMap =>
      typeof one === 'object' && one !== null && !Array.isArray(one);
    if (value === null) delete merged[key];
    else
      merged[key] =
        isSection(present) && isSection(value) ? coalesce(present, value) : structuredClone(value);
  }
  return merged;
}

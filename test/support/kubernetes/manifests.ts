/** Kubernetes' objects out of YAML, as the API server reads it: YAML 1.1, where 0440 is octal and `on` is true. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export type JsonObject = { readonly [key: string]: Json };
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface Manifest extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & { readonly name: string };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws Error for what is not YAML, or no object of Kubernetes; empty documents are left out. */
export function parseManifests(text: string): Manifest[] {
  return [...parseAllDocuments(text, { version: '1.1', uniqueKeys: true })].flatMap((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw error;
    const value = document.toJS() as Json;
    if (value === null) return [];
    if (!isManifest(value))
      throw new Error(`no object of Kubernetes: ${JSON.stringify(value).slice(0, 200)}`);
    return [value];
  });
}

function isManifest(value: Json): value is Manifest {
  if (!isObject(value) || !isObject(value.metadata)) return false;
  return [value.apiVersion, value.kind, value.metadata.name].every((part) => typeof part === 'string');
}

/** All of a folder's `*.yaml` files, but `kustomization.yaml`. */
export function readManifests(directory: string): Manifest[] {
  const files = readdirSync(directory).filter(
    (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
  );
  return files.flatMap((name) => parseManifests(readFileSync(join(directory, name), 'utf8')));
}

/** The value at a path such as `spec.template.metadata.labels`; undefined where there is none. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let here = value;
  for (const key of path.split('.')) {
    if (Array.isArray(here)) here = (here as readonly Json[])[Number(key)];
    else if (isObject(here)) here = here[key];
    else return undefined;
  }
  return here;
}

export function objectAt(value: Json | undefined, path: string): JsonObject {
  const found = at(value, path);
  return isObject(found) ? found : {};
}

export function listAt(value: Json | undefined, path: string): readonly JsonObject[] {
  const found = at(value, path);
  return Array.isArray(found) ? (found as readonly Json[]).filter(isObject) : [];
}

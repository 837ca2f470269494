/** A configuration as the file that says it, without what is the default anyway; passwords in files of their own, if wanted. */
import { stringify } from 'yaml';
import type { Mapping } from '../../../config/mapping.ts';
import type { Config } from '../../../config/schema.ts';
import { mapSecrets } from '../../../config/secret-places.ts';
import { configJsonSchema } from '../../../config/settings.ts';
import type { WrittenSettings } from '../../control/runtime/written-settings.ts';

export interface SecretFile {
  /** Without its folder. */
  readonly name: string;
  readonly content: string;
}

export interface WrittenYaml {
  readonly text: string;
  readonly secrets: readonly SecretFile[];
}

function contentOf(config: Config, written: WrittenSettings): Mapping {
  const content = written.content(config);
  // What the file is about must be in it, even where nothing was found.
  return { ...content, users: content.users ?? [] };
}

/** Of what a path leads to, in letters that every file system takes. */
function fileName(path: readonly PropertyKey[], content: Mapping, taken: Set<string>): string {
  const [first, index] = path;
  const list = content[String(first)];
  const element: unknown = Array.isArray(list) && typeof index === 'number' ? list[index] : undefined;
  const account = (element as { readonly username?: string } | undefined)?.username;
  const plain = account === undefined ? path.map(String).join('.') : `${String(first)}.${account}`;
  const safe = plain.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100);
  for (let number = 1; ; number++) {
    const name = number === 1 ? safe : `${safe}.${number}`;
    if (taken.size !== taken.add(name).size) return name;
  }
}

/** @param secretsFolder absolute; null leaves passwords where they are */
export function writtenYaml(
  config: Config,
  written: WrittenSettings,
  secretsFolder: string | null,
  head: readonly string[],
): WrittenYaml {
  const content = contentOf(config, written);
  const secrets: SecretFile[] = [];
  const taken = new Set<string>();
  const shown =
    secretsFolder === null
      ? content
      : mapSecrets([configJsonSchema()], content, (secret, path) => {
          // A file holds one line, and not an empty one.
          if (typeof secret !== 'string' || secret === '' || /[\r\n]/.test(secret)) return secret;
          const name = fileName(path, content, taken);
          secrets.push({ name, content: secret });
          return { file: `${secretsFolder}/${name}` };
        });
  const comments = head.map((line) => `# ${line}\n`).join('');
  return { text: `${comments}${stringify(shown, { lineWidth: 0 })}`, secrets };
}

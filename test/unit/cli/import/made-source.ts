/** What ProxySQL would say, from the text of a file; and what an import makes of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from '../../../../config/load.ts';
import type { Config } from '../../../../config/schema.ts';
import { readFileSource } from '../../../../src/cli/import/file-source.ts';
import type { Finding, FindingKind } from '../../../../src/cli/import/import-report.ts';
import type { ProxySqlSource } from '../../../../src/cli/import/proxysql-source.ts';
import { type TranslationOptions, translate } from '../../../../src/cli/import/translate.ts';
import { writtenYaml } from '../../../../src/cli/import/written-yaml.ts';
import { VariableCatalog } from '../../../../src/control/runtime/variable-catalog.ts';
import { WrittenSettings } from '../../../../src/control/runtime/written-settings.ts';

const CATALOG = new VariableCatalog('test');
const WRITTEN = new WrittenSettings(CATALOG);

export function sourceOf(text: string): ProxySqlSource {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-import-'));
  try {
    writeFileSync(join(folder, 'proxysql.cnf'), text);
    return readFileSource(join(folder, 'proxysql.cnf'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Imported {
  /** As the loader of the configuration reads what was written. */
  readonly config: Config;
  /** What was written. */
  readonly yaml: Readonly<Record<string, unknown>>;
  readonly findings: readonly Finding[];
  /** The messages of those that are about this. */
  about(kind: FindingKind, what: string | RegExp): string[];
}

const OPTIONS: TranslationOptions = {
  hostgroup: null,
  sameCluster: [],
  onlyRuledReads: false,
  keepsFiles: false,
};

/** @throws ConfigError if what was made is no configuration */
export async function imported(
  source: string | ProxySqlSource,
  options: Partial<TranslationOptions> = {},
): Promise<Imported> {
  const given = typeof source === 'string' ? sourceOf(source) : source;
  const { config, report } = await translate(given, { ...OPTIONS, ...options }, CATALOG);
  const { text } = writtenYaml(config, WRITTEN, null, []);
  return {
    config: loadConfig({ file: 'imported.yaml', text, env: {}, flags: {} }),
    yaml: parse(text) as Readonly<Record<string, unknown>>,
    findings: report.findings,
    about: (kind, what) =>
      report
        .of(kind)
        .filter((finding) => (typeof what === 'string' ? finding.what === what : what.test(finding.what)))
        .map(({ message }) => message),
  };
}

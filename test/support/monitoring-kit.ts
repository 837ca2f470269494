/** What docker/monitoring holds: alerts, dashboards and runbooks, read as values. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const monitoringDirectory = fileURLToPath(new URL('../../docker/monitoring/', import.meta.url));
export const rulesFile = join(monitoringDirectory, 'prometheus/sluice-rules.yml');

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

export function readAlertRules(): AlertRule[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

export interface Runbook {
  /** As a link names it. */
  readonly anchor: string;
  readonly text: string;
}

export function readRunbooks(): Runbook[] {
  return runbookText()
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = '', ...lines] = section.split('\n');
      return { anchor: title.toLowerCase(), text: lines.join('\n') };
    });
}

export function runbookText(): string {
  return readFileSync(join(monitoringDirectory, 'runbooks.md'), 'utf8');
}

/** The lines of all blocks that are marked so. */
export function commandsIn(markdown: string, language: 'sql' | 'mysql' | 'sh'): string[] {
  const blocks = markdown.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm);
  return [...blocks].flatMap(([, found, lines = '']) =>
    found === language
      ? lines
          .trim()
          .split('\n')
          .map((line) => line.trim())
      : [],
  );
}

export interface DashboardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly panels: readonly DashboardPanel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

export function readDashboards(): Dashboard[] {
  return globSync(join(monitoringDirectory, 'grafana/dashboards/*.json'))
    .toSorted()
    .map((path) => ({
      ...(JSON.parse(readFileSync(path, 'utf8')) as Omit<Dashboard, 'file'>),
      file: basename(path, '.json'),
    }));
}

/** Which series a PromQL expression asks for: enough of the language to check names, none of its arithmetic. */

export interface LabelMatcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
}

export interface NamesInExpression {
  readonly selectors: readonly Selector[];
  /** Of `by`, `on` and the like. */
  readonly groupingLabels: readonly string[];
}

const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const SELECTOR = /([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{(?:[^}"]|"(?:[^"\\]|\\.)*")*\})?(\s*\()?/g;
const MATCHER = /([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;
const KEYWORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);

export function namesInExpression(expression: string): NamesInExpression {
  const groupingLabels: string[] = [];
  const rest = expression
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\boffset\s+\w+/g, '')
    .replace(GROUPING, (_, labels: string) => {
      groupingLabels.push(...labels.split(',').map((label) => label.trim()));
      return '';
    });
  const selectors: Selector[] = [];
  for (const [, name = '', braces, call] of rest.matchAll(SELECTOR)) {
    if (call !== undefined || KEYWORDS.has(name.toLowerCase())) continue;
    const matchers = [...(braces ?? '').matchAll(MATCHER)].map(
      ([, label = '', operator, value = '']) => ({ label, operator, value }) as LabelMatcher,
    );
    selectors.push({ metric: name, matchers });
  }
  return { selectors, groupingLabels };
}

/** In a template of Prometheus (`{{ $labels.server }}`) or in a legend of Grafana (`{{server}}`). */
export function labelsInTemplate(template: string): string[] {
  return [...template.matchAll(/\{\{\s*(?:\$labels\.)?([a-z_]+)\s*(?:\|[^}]*)?\}\}/g)]
    .map(([, label = '']) => label)
    .filter((label) => !/^(?:value)$/.test(label));
}

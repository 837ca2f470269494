/** Where a value came from, for messages: the last layer that set it. */
export type ConfigSource =
  | { readonly kind: 'file'; readonly file: string; readonly line: number | null }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'default' };

export interface ConfigProblem {
  /** Dotted path as the file spells it, e.g. `servers[1].port`; empty for the file as a whole. */
  readonly key: string;
  /** A sentence without the key and without a full stop; never holds a secret. */
  readonly message: string;
  readonly source: ConfigSource;
  /** The nearest valid name, where there is one. */
  readonly suggestion: string | null;
}

/** @param ofDefault what a default is called. */
export function formatSource(source: ConfigSource, ofDefault: string): string {
  switch (source.kind) {
    case 'file':
      return source.line === null ? source.file : `${source.file}:${source.line}`;
    case 'environment':
      return source.name;
    case 'flag':
      return `--${source.name}`;
    case 'default':
      return ofDefault;
  }
}

export function formatProblem(problem: ConfigProblem): string {
  const key = problem.key === '' ? '' : `${problem.key}: `;
  const hint = problem.suggestion === null ? '' : `, did you mean ${problem.suggestion}?`;
  return `${formatSource(problem.source, 'configuration')}: ${key}${problem.message}${hint}`;
}

/** All that is wrong with a configuration, at once; `message` has one line for each problem. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

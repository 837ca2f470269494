/** Runs what template-parser.ts has read. */

import { FUNCTIONS, isMap, isTrue, print, type Value, type ValueMap } from './template-functions.ts';
import type { BranchNode, Command, Expression, Node } from './template-parser.ts';

/** Of an object that Helm hands in, such as `.Files`. */
type Method = (...args: Value[]) => Value;
type Variables = Map<string, { value: Value }>;

export class TemplateRunner {
  readonly #defined: ReadonlyMap<string, readonly Node[]>;

  constructor(defined: ReadonlyMap<string, readonly Node[]>) {
    this.#defined = defined;
  }

  /** @throws Error for what Go's templates, or a function in it, would refuse */
  run(nodes: readonly Node[], root: Value): string {
    return this.#body(nodes, root, new Map([['$', { value: root }]]));
  }

  #body(nodes: readonly Node[], dot: Value, variables: Variables): string {
    // What is declared in a body ends with it; what is assigned does not.
    const own = new Map(variables);
    return nodes.map((node) => this.#node(node, dot, own)).join('');
  }

  #node(node: Node, dot: Value, variables: Variables): string {
    if (node.kind === 'text') return node.text;
    const value = this.#value(node.pipeline, dot, variables);
    if (node.kind === 'print') return print(value);
    if (node.kind === 'assign') {
      if (node.isNew) variables.set(node.name, { value });
      else this.#variable(node.name, variables).value = value;
      return '';
    }
    if (node.kind === 'range') return this.#range(node, value, dot, variables);
    if (!isTrue(value)) return this.#body(node.otherwise, dot, variables);
    const inner = new Map(variables);
    for (const name of node.declares) inner.set(name, { value });
    return this.#body(node.body, node.kind === 'with' ? value : dot, inner);
  }

  #range(node: BranchNode, value: Value, dot: Value, variables: Variables): string {
    const entries: (readonly [Value, Value])[] = Array.isArray(value)
      ? value.map((one, index) => [BigInt(index), one])
      : isMap(value)
        ? Object.keys(value)
            .toSorted()
            .map((key) => [key, value[key]])
        : [];
    if (entries.length === 0) return this.#body(node.otherwise, dot, variables);
    return entries
      .map(([key, one]) => {
        const [first, second] = node.declares;
        const inner = new Map(variables);
        if (first !== undefined) inner.set(first, { value: second === undefined ? one : key });
        if (second !== undefined) inner.set(second, { value: one });
        return this.#body(node.body, one, inner);
      })
      .join('');
  }

  #value(expression: Expression, dot: Value, variables: Variables): Value {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'dot':
        return dot;
      case 'variable':
        return this.#variable(expression.name, variables).value;
      case 'function':
        return this.#call(expression.name, [], dot, variables, []);
      case 'fields':
        return expression.names.reduce(fieldOf, this.#value(expression.of, dot, variables));
      default:
        return expression.commands.reduce<readonly Value[]>(
          (piped, command) => [this.#command(command, piped, dot, variables)],
          [],
        )[0];
    }
  }

  #command(command: Command, piped: readonly Value[], dot: Value, variables: Variables): Value {
    const [first, ...rest] = command;
    if (first!.kind === 'function') return this.#call(first!.name, rest, dot, variables, piped);
    const value = this.#value(first!, dot, variables);
    if (typeof value === 'function') {
      const args = rest.map((arg) => this.#value(arg, dot, variables));
      return (value as Method)(...args, ...piped);
    }
    if (rest.length > 0 || piped.length > 0) throw new Error('a value that is no function has arguments');
    return value;
  }

  #call(
    name: string,
    args: readonly Expression[],
    dot: Value,
    variables: Variables,
    piped: readonly Value[],
  ): Value {
    if (name === 'and' || name === 'or') {
      let value: Value;
      for (const [index, arg] of args.entries()) {
        value = this.#value(arg, dot, variables);
        if (isTrue(value) === (name === 'or') || index === args.length - 1) return value;
      }
      throw new Error(`${name} without a value`);
    }
    const values = [...args.map((arg) => this.#value(arg, dot, variables)), ...piped];
    if (name === 'include') return this.#include(values[0], values[1]);
    if (!Object.hasOwn(FUNCTIONS, name)) throw new Error(`the function ${name} is not known here`);
    return FUNCTIONS[name]!(...values);
  }

  #include(name: Value, value: Value): string {
    const nodes = typeof name === 'string' ? this.#defined.get(name) : undefined;
    if (nodes === undefined) throw new Error(`there is no template ${String(name)}`);
    return this.run(nodes, value);
  }

  #variable(name: string, variables: Variables): { value: Value } {
    const found = variables.get(name);
    if (found === undefined) throw new Error(`the variable ${name} is not declared`);
    return found;
  }
}

function fieldOf(value: Value, name: string): Value {
  if (!isMap(value)) throw new Error(`there is no field ${name} in ${value === null ? 'nil' : typeof value}`);
  return (value as ValueMap)[name];
}

/** What command lines of benchmarks have in common. */

/** @throws Error that names the option and what it may be */
export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`--${name} ${value} is none of ${allowed.join(', ')}`);
  return found;
}

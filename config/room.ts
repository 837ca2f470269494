/**
 * Whether a machine has room for a configuration that was put together from another one: the loader's question, where no
 * file tells what somebody has written.
 */
import { fitToMachine } from './fit.ts';
import type { Machine } from './machine.ts';
import type { Config, ConfigValues } from './schema.ts';
import { collectSettings, configJsonSchema } from './settings.ts';
import { type FitProblem, fitProblems } from './sizing.ts';

export interface Room {
  /** Why a start with what is written would be refused. */
  readonly problems: readonly FitProblem[];
  /** What it takes as it is, where a start would make smaller what nobody has written. */
  readonly shortages: readonly FitProblem[];
}

const ROOM_ENOUGH: Room = { problems: [], shortages: [] };

function numberAt(config: Config, path: string): unknown {
  const [section = '', key] = path.split('.');
  const value = (config as unknown as Readonly<Record<string, unknown>>)[section];
  return key === undefined ? value : (value as Readonly<Record<string, unknown>>)[key];
}

/** A configuration that was not made for a machine always has room. */
export function roomFor(config: Config, machine: Machine): Room {
  const { fitted } = config;
  if (fitted === undefined) return ROOM_ENOUGH;
  const usual = new Map(
    collectSettings(configJsonSchema()).map(({ path, defaultValue }) => [path, defaultValue]),
  );
  const isWritten = (path: string) => numberAt(config, path) !== (fitted[path] ?? usual.get(path));
  const problemsOf = (values: Parameters<typeof fitProblems>[1]) =>
    fitProblems(machine, values, config.workers, isWritten);
  const problems = problemsOf(fitToMachine(config as unknown as ConfigValues, machine, isWritten));
  return { problems, shortages: problems.length > 0 ? [] : problemsOf(config) };
}

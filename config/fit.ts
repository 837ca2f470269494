/** Lays what fits this machine over the defaults of a configuration. */
import type { Machine } from './machine.ts';
import type { ConfigValues } from './schema.ts';
import { fittingWorkers, type MachineDefaults, machineDefaults } from './sizing.ts';

export type FittedValues = Omit<ConfigValues, 'workers'> & {
  readonly workers: number;
  /** What nobody has written, by path, and what it became. */
  readonly fitted: MachineDefaults;
};

type Sections = Record<string, Record<string, unknown>>;

/**
 * @param isWritten whether somebody has given the setting of that path a value: it stays
 * @returns a copy
 */
export function fitToMachine(
  values: ConfigValues,
  machine: Machine,
  isWritten: (path: string) => boolean,
): FittedValues {
  const workers = values.workers ?? fittingWorkers(machine);
  const defaults = Object.entries(machineDefaults(machine, values, workers, isWritten));
  const own = defaults.filter(([path]) => !isWritten(path));
  const fitted = Object.fromEntries(values.workers === null ? [...own, ['workers', workers]] : own);
  const result = { ...values, workers, fitted };
  for (const [path, value] of own) {
    const [section = '', key = ''] = path.split('.');
    const sections = result as unknown as Sections;
    sections[section] = { ...sections[section], [key]: value };
  }
  return result;
}

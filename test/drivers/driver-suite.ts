/** What the harness knows of a driver's own test suite. The suites themselves are not part of this project. */

import type { ServerFlavor } from '../../src/topology/server-description.ts';

export const Outcome = { passed: 'passed', failed: 'failed', skipped: 'skipped' } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export interface TestResult {
  /** Unique within the suite and the same in every run of it. */
  readonly name: string;
  readonly outcome: Outcome;
  /** What the suite printed about a test that failed. */
  readonly detail?: string;
}

/** Where a suite connects to: a server, or Sluice in front of it. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
  /** An account with all privileges. */
  readonly user: string;
  readonly password: string;
  /** An empty schema of the account's. */
  readonly schema: string;
}

export interface SuiteRun {
  readonly endpoint: Endpoint;
  readonly flavor: ServerFlavor;
  /** The suite's source. Runs leave nothing behind in it that changes the next one. */
  readonly source: string;
  /** An empty folder for this run. */
  readonly workDirectory: string;
  /** Only these files, paths as the suite has them; empty means all. */
  readonly files: readonly string[];
}

export interface DriverSuite {
  /** As on the command line. */
  readonly name: string;
  /** Driver and language, for the table. */
  readonly title: string;
  /** Debian's source package that the suite is taken from when no folder is named; null means that one must be. */
  readonly debianSource: string | null;
  /** The paths in Debian's source package that are needed; it may be large. */
  readonly debianPaths?: readonly string[];
  readonly flavors: readonly ServerFlavor[];
  /** A command that succeeds where everything that the suite needs is installed. */
  readonly check?: { readonly program: string; readonly args: readonly string[] };
  /** Options that the suite wants its server to have. */
  readonly serverArgs?: readonly string[];
  /** Run as root before the suite. */
  readonly setupSql?: (flavor: ServerFlavor) => readonly string[];
  /** The driver's version, or that of its suite where the two differ. */
  /** The file, as `SuiteRun.files` takes it, that has a test; without it all files are run to repeat one. */
  readonly fileOf?: (test: string) => string;
  readonly version: (source: string) => Promise<string>;
  readonly run: (run: SuiteRun) => Promise<readonly TestResult[]>;
}

/** What `src/cli/<name>-command.ts` is: a subcommand of `sluice`, with flags and a usage text of its own. */
export interface Subcommand {
  /** Printed for `--help`; ends with a line break. */
  readonly usage: string;
  /**
   * @param args what stands behind its name
   * @returns the exit code; it has written what there is to say
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** Its line in the table: known before anything of it is loaded. */
export interface SubcommandEntry {
  readonly name: string;
  /** One line of `sluice --help`. */
  readonly summary: string;
  readonly load: () => Promise<Subcommand>;
}

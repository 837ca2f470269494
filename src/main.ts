#!/usr/bin/env node
/**
 * The command. Nothing is imported before the version of Node is known: an older one would fail on the first module
 * that it does not understand, with a message that helps nobody.
 */
const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(`sluice: Node ${OLDEST_NODE} or newer is needed, this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  const args = process.argv.slice(2);
  if (process.env._SLUICE_HANDOVER !== undefined) await import('./control/handover/first-messages.ts');
  const { runSubcommand } = await import('./cli/subcommands.ts');
  if (!(await runSubcommand(args))) {
    const { startOrElse } = await import('./cli/start.ts');
    await startOrElse(args);
  }
}

export {};

/** What `sluice` ends with. `sluice check` has codes of its own, those of Nagios. */
export const ExitCode = { ok: 0, failed: 1, badConfiguration: 2 } as const;

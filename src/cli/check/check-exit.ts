/** How a plugin of Nagios ends, https://nagios-plugins.org/doc/guidelines.html */
export const CheckExit = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;
export type CheckExit = (typeof CheckExit)[keyof typeof CheckExit];

/** What keeps a check from saying anything: a wrong flag, a file that cannot be read. */
export class CheckError extends Error {
  override readonly name = 'CheckError';
}

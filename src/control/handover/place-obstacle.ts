/** Whether what has started this process would take it well if another one took its place. */

import { readFileSync } from 'node:fs';

/** Programs that run one other as its only child, and end with it: as the process 1 of a container. */
const SMALL_INITS: ReadonlySet<string> = new Set([
  'tini',
  'docker-init',
  'dumb-init',
  'catatonit',
  'podman-init',
]);

export interface ProcessPlace {
  readonly pid: number;
  readonly parentPid: number;
  /** Of the parent; '' where it is not known. */
  readonly parentName: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function ownPlace(): ProcessPlace {
  const { pid, ppid: parentPid, env } = process;
  return { pid, parentPid, parentName: nameOf(parentPid), env };
}

/** A reason why its end would be taken for the end of the service; null for none. */
export function placeObstacle({ pid, parentPid, parentName, env }: ProcessPlace): string | null {
  if (pid === 1)
    return 'it is process 1 of a container, which ends with it: replace the container as a whole';
  if (parentPid === 1 && SMALL_INITS.has(parentName))
    return `the container ends with it (process 1 is ${parentName}): replace the container as a whole`;
  // Of the process that systemd has started itself: others have inherited the variable.
  if (env.SYSTEMD_EXEC_PID === String(pid) && !env.NOTIFY_SOCKET)
    return 'systemd would take its end for the end of the service: the unit needs Type=notify and NotifyAccess=all';
  return null;
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

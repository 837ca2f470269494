/** What a version string tells. */

import { ServerFlavor } from '../../topology/server-description.ts';

export interface ServerVersion {
  /** As announced. */
  readonly text: string;
  readonly flavor: ServerFlavor;
  /** e.g. 100620 for 10.6.20; 0 where the text has no such number. */
  readonly id: number;
}

export function parseServerVersion(text: string): ServerVersion {
  const flavor = /mariadb/i.test(text) ? ServerFlavor.mariadb : ServerFlavor.mysql;
  // MariaDB before 11 puts `5.5.5-` in front, for replicas that believed in a version of one digit.
  const own = flavor === ServerFlavor.mariadb ? text.replace(/^5\.5\.5-/, '') : text;
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(own);
  if (match === null) return { text, flavor, id: 0 };
  const id = Number(match[1]) * 10_000 + Number(match[2]) * 100 + Number(match[3]);
  return { text, flavor, id };
}

/** What a server's version string says. */
export interface ServerVersion {
  /** Without the `5.5.5-` that MariaDB puts in front for the sake of old replicas. */
  readonly version: string;
  readonly isMariadb: boolean;
  /** e.g. 101119 for 10.11.19, 50729 for 5.7.29; 0 if the string has no version number. */
  readonly versionId: number;
}

const REPLICATION_PREFIX = /^5\.5\.5-(?=\d+\.\d+\.\d+)/;

export function parseServerVersion(raw: string): ServerVersion {
  const prefixed = REPLICATION_PREFIX.test(raw);
  const version = raw.replace(REPLICATION_PREFIX, '');
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  const [major, minor, patch] = numbers === null ? [0, 0, 0] : numbers.slice(1).map(Number);
  return {
    version,
    isMariadb: prefixed || /mariadb/i.test(version),
    versionId: major! * 10_000 + minor! * 100 + patch!,
  };
}

/**
 * Capability flags, exchanged in the connection phase. Kept as unsigned numbers: bit 31 is `2 ** 31`, not negative.
 * Bit operators give signed results, so combine with the functions below.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
 */

export const Capability = {
  /** Called CLIENT_MYSQL by MariaDB, whose servers leave it out to say that extended capabilities follow. */
  CLIENT_LONG_PASSWORD: 0x1,
  CLIENT_FOUND_ROWS: 0x2,
  CLIENT_LONG_FLAG: 0x4,
  CLIENT_CONNECT_WITH_DB: 0x8,
  CLIENT_NO_SCHEMA: 0x10,
  CLIENT_COMPRESS: 0x20,
  CLIENT_ODBC: 0x40,
  CLIENT_LOCAL_FILES: 0x80,
  CLIENT_IGNORE_SPACE: 0x100,
  CLIENT_PROTOCOL_41: 0x200,
  CLIENT_INTERACTIVE: 0x400,
  CLIENT_SSL: 0x800,
  CLIENT_IGNORE_SIGPIPE: 0x1000,
  CLIENT_TRANSACTIONS: 0x2000,
  CLIENT_RESERVED: 0x4000,
  /** CLIENT_RESERVED2 in MySQL 8; still what says that a challenge of 20 bytes is used. */
  CLIENT_SECURE_CONNECTION: 0x8000,
  CLIENT_MULTI_STATEMENTS: 0x1_0000,
  CLIENT_MULTI_RESULTS: 0x2_0000,
  CLIENT_PS_MULTI_RESULTS: 0x4_0000,
  CLIENT_PLUGIN_AUTH: 0x8_0000,
  CLIENT_CONNECT_ATTRS: 0x10_0000,
  CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA: 0x20_0000,
  CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS: 0x40_0000,
  CLIENT_SESSION_TRACK: 0x80_0000,
  CLIENT_DEPRECATE_EOF: 0x100_0000,
  CLIENT_OPTIONAL_RESULTSET_METADATA: 0x200_0000,
  CLIENT_ZSTD_COMPRESSION_ALGORITHM: 0x400_0000,
  CLIENT_QUERY_ATTRIBUTES: 0x800_0000,
  CLIENT_MULTI_FACTOR_AUTHENTICATION: 0x1000_0000,
  CLIENT_CAPABILITY_EXTENSION: 0x2000_0000,
  CLIENT_SSL_VERIFY_SERVER_CERT: 0x4000_0000,
  CLIENT_REMEMBER_OPTIONS: 0x8000_0000,
} as const;
export type CapabilityName = keyof typeof Capability;

/**
 * MariaDB's extended capabilities: the upper 32 bits of its 64-bit set, sent in the last 4 reserved bytes of the
 * handshake. Numbers here are within that upper half.
 * https://mariadb.com/kb/en/connection/#capabilities
 */
export const MariadbCapability = {
  MARIADB_CLIENT_PROGRESS: 0x1,
  MARIADB_CLIENT_COM_MULTI: 0x2,
  MARIADB_CLIENT_STMT_BULK_OPERATIONS: 0x4,
  MARIADB_CLIENT_EXTENDED_METADATA: 0x8,
  MARIADB_CLIENT_CACHE_METADATA: 0x10,
  MARIADB_CLIENT_BULK_UNIT_RESULTS: 0x20,
} as const;
export type MariadbCapabilityName = keyof typeof MariadbCapability;

export function hasCapability(capabilities: number, flag: number): boolean {
  return (capabilities & flag) !== 0;
}

/** Both sets' common flags, unsigned. */
export function intersectCapabilities(left: number, right: number): number {
  return (left & right) >>> 0;
}

/** Any of the sets' flags, unsigned. */
export function uniteCapabilities(...sets: number[]): number {
  return sets.reduce((all, set) => all | set, 0) >>> 0;
}

/** The first set's flags that are not in the second, unsigned. */
export function withoutCapabilities(capabilities: number, removed: number): number {
  return (capabilities & ~removed) >>> 0;
}

/** Names of the flags in a set, for logs and errors. */
export function capabilityNames(capabilities: number): CapabilityName[] {
  return (Object.keys(Capability) as CapabilityName[]).filter((name) =>
    hasCapability(capabilities, Capability[name]),
  );
}

/** A GTID set that does not follow its server's grammar. `text` is cut: a set can be many kilobytes long. */
export class GtidFormatError extends Error {
  readonly dialect: 'mysql' | 'mariadb';
  readonly text: string;

  constructor(dialect: 'mysql' | 'mariadb', text: string, detail: string) {
    super(`malformed ${dialect} GTID set: ${detail}`);
    this.name = 'GtidFormatError';
    this.dialect = dialect;
    this.text = text.slice(0, 200);
  }
}

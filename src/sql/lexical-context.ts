/**
 * Everything that changes how the bytes of a statement are cut into tokens: the character set in which the
 * client sends, the lexical bits of `sql_mode`, and the kind of server (conditional comments).
 * Values are memoised: two equal contexts are the same object, and `key` identifies them in cache keys.
 */

/**
 * How a character set behaves towards ASCII bytes. `safe` has no character whose second or later byte is below
 * 0x80; in the others a quote or a backslash byte may be the tail of a character.
 */
export type LexicalCharset = 'safe' | 'gbk' | 'big5' | 'sjis' | 'gb18030';

export interface LexicalContext {
  readonly charset: LexicalCharset;
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  readonly ignoreSpace: boolean;
  readonly flavor: 'mysql' | 'mariadb';
  /** e.g. 100620 or 50729; 0 while unknown: then `/*! *\/` comments of every version are taken to run. */
  readonly versionId: number;
  /** Small integer, unique per context while the process lives. */
  readonly key: number;
  /** What a byte starts, one of `ByteClass`; owned by the context, never written after it was made. */
  readonly byteClasses: Uint8Array;
  /**
   * How many bytes a character takes by its first byte when it stands in a quoted name, 0 for a byte that
   * starts no character.
   */
  readonly characterLengths: Uint8Array;
}

/** What a byte means where a token may start. */
export const ByteClass = {
  /** An operator or another character that is a token of its own. */
  other: 0,
  space: 1,
  // From here to `prefix`: what may stand inside an unquoted name.
  /** Starts or continues a name. */
  name: 2,
  digit: 3,
  /** A letter that may introduce a literal: x'..', b'..', n'..'. Continues a name, too. */
  prefix: 4,
  /** First byte of a character of several bytes that may have a tail below 0x80. */
  lead: 5,
  singleQuote: 6,
  doubleQuote: 7,
  backtick: 8,
  at: 9,
  dot: 10,
  colon: 11,
  star: 12,
  semicolon: 13,
  backslash: 14,
  /** Stands for nothing that a server would accept outside quotes and comments. */
  invalid: 15,
  // From here on: what may begin a comment.
  hash: 16,
  minus: 17,
  slash: 18,
} as const;
export type ByteClass = (typeof ByteClass)[keyof typeof ByteClass];

/** The inner distinction behind `safe`: which bytes above 0x7f may stand in an unquoted name. */
type Repertoire = 'utf8' | 'euc' | 'latin1' | 'single' | 'tailed';

const CHARSETS: ReadonlyMap<string, { charset: LexicalCharset; repertoire: Repertoire }> = new Map([
  ['utf8', { charset: 'safe', repertoire: 'utf8' }],
  ['utf8mb3', { charset: 'safe', repertoire: 'utf8' }],
  ['utf8mb4', { charset: 'safe', repertoire: 'utf8' }],
  ['latin1', { charset: 'safe', repertoire: 'latin1' }],
  ['ujis', { charset: 'safe', repertoire: 'euc' }],
  ['eucjpms', { charset: 'safe', repertoire: 'euc' }],
  ['gb2312', { charset: 'safe', repertoire: 'euc' }],
  ['gbk', { charset: 'gbk', repertoire: 'tailed' }],
  ['big5', { charset: 'big5', repertoire: 'tailed' }],
  ['sjis', { charset: 'sjis', repertoire: 'tailed' }],
  ['cp932', { charset: 'sjis', repertoire: 'tailed' }],
  ['gb18030', { charset: 'gb18030', repertoire: 'tailed' }],
]);

const SINGLE_BYTE = { charset: 'safe', repertoire: 'single' } as const;

/** Takes a character set's or a collation's name in any case, e.g. `utf8mb4`, `GBK`, `sjis_bin`. */
export function lexicalCharsetOf(charsetName: string): LexicalCharset {
  return describe(charsetName).charset;
}

function describe(charsetName: string): { charset: LexicalCharset; repertoire: Repertoire } {
  const name = charsetName.toLowerCase();
  const underscore = name.indexOf('_');
  return CHARSETS.get(underscore < 0 ? name : name.slice(0, underscore)) ?? SINGLE_BYTE;
}

/** Whether a byte is the first of a character of several bytes. */
function isLead(charset: LexicalCharset, repertoire: Repertoire, byte: number): boolean {
  if (byte < 0x80) return false;
  switch (charset) {
    case 'gbk':
    case 'gb18030':
      return byte >= 0x81 && byte <= 0xfe;
    case 'big5':
      return byte >= 0xa1 && byte <= 0xf9;
    case 'sjis':
      return (byte >= 0x81 && byte <= 0x9f) || (byte >= 0xe0 && byte <= 0xfc);
    case 'safe':
      if (repertoire === 'utf8') return byte >= 0xc2 && byte <= 0xf7;
      return repertoire === 'euc' && (byte === 0x8e || byte === 0x8f || (byte >= 0xa1 && byte <= 0xfe));
  }
}

function characterLength(charset: LexicalCharset, repertoire: Repertoire, byte: number): number {
  if (byte < 0x80 || repertoire === 'latin1' || repertoire === 'single') return 1;
  if (!isLead(charset, repertoire, byte)) return charset === 'sjis' && byte >= 0xa1 && byte <= 0xdf ? 1 : 0;
  if (repertoire === 'utf8') return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  return repertoire === 'euc' && byte === 0x8f ? 3 : 2;
}

const ASCII_CLASSES: readonly (readonly [string, ByteClass])[] = [
  [' \t\n\v\f\r', ByteClass.space],
  ['acdefghijklmopqrstuvwyzACDEFGHIJKLMOPQRSTUVWYZ_$', ByteClass.name],
  ['xXbBnN', ByteClass.prefix],
  ['0123456789', ByteClass.digit],
  ["'", ByteClass.singleQuote],
  ['"', ByteClass.doubleQuote],
  ['`', ByteClass.backtick],
  ['@', ByteClass.at],
  ['#', ByteClass.hash],
  ['-', ByteClass.minus],
  ['/', ByteClass.slash],
  ['.', ByteClass.dot],
  [':', ByteClass.colon],
  ['*', ByteClass.star],
  [';', ByteClass.semicolon],
  ['\\', ByteClass.backslash],
];

/**
 * The class of a byte above 0x7f. In a single-byte set the servers' tables make some of them letters, some
 * white space (0xA0 in latin1!) and some neither; reading white space as a letter would hide a keyword, so what
 * is not known to be a letter is invalid, and an invalid byte makes a statement go to the primary.
 */
function highByteClass(charset: LexicalCharset, repertoire: Repertoire, byte: number): ByteClass {
  switch (repertoire) {
    case 'utf8':
      return ByteClass.name;
    case 'latin1':
      if (byte === 0xa0) return ByteClass.space;
      return byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7 ? ByteClass.name : ByteClass.invalid;
    case 'euc':
      return isLead(charset, repertoire, byte) ? ByteClass.name : ByteClass.invalid;
    case 'tailed':
      return isLead(charset, repertoire, byte) ? ByteClass.lead : ByteClass.invalid;
    case 'single':
      return ByteClass.invalid;
  }
}

function makeByteClasses(charset: LexicalCharset, repertoire: Repertoire, ansiQuotes: boolean): Uint8Array {
  const classes = new Uint8Array(256);
  // Control characters other than white space, and NUL, end or break a statement at the server.
  classes.fill(ByteClass.invalid, 0, 0x20);
  classes[0x7f] = ByteClass.invalid;
  for (const [characters, byteClass] of ASCII_CLASSES) {
    for (let i = 0; i < characters.length; i++) classes[characters.charCodeAt(i)] = byteClass;
  }
  if (ansiQuotes) classes[0x22] = ByteClass.backtick;
  for (let byte = 0x80; byte < 0x100; byte++) classes[byte] = highByteClass(charset, repertoire, byte);
  return classes;
}

const contexts = new Map<string, LexicalContext>();

export interface LexicalSettings {
  /** `character_set_client`, e.g. `utf8mb4`. */
  readonly charset: string;
  /** The value of `sql_mode`, as the server reports it: combined modes such as ANSI are spelled out or not. */
  readonly sqlMode: string;
  readonly flavor: 'mysql' | 'mariadb';
  readonly versionId: number;
}

/** Modes that set ANSI_QUOTES and IGNORE_SPACE together. */
const COMBINED_MODES = ['ANSI', 'ORACLE', 'DB2', 'MSSQL', 'MAXDB', 'POSTGRESQL'];

/** The context for these settings; the same object for the same meaning. */
export function makeLexicalContext(settings: LexicalSettings): LexicalContext {
  const { charset, repertoire } = describe(settings.charset);
  const modes = new Set(
    settings.sqlMode
      .toUpperCase()
      .split(',')
      .map((mode) => mode.trim()),
  );
  const combined = COMBINED_MODES.some((mode) => modes.has(mode));
  const ansiQuotes = combined || modes.has('ANSI_QUOTES');
  const ignoreSpace = combined || modes.has('IGNORE_SPACE');
  const noBackslashEscapes = modes.has('NO_BACKSLASH_ESCAPES');
  const { flavor, versionId } = settings;
  const id = [charset, repertoire, ansiQuotes, noBackslashEscapes, ignoreSpace, flavor, versionId].join();
  const known = contexts.get(id);
  if (known !== undefined) return known;
  const characterLengths = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) characterLengths[byte] = characterLength(charset, repertoire, byte);
  const context: LexicalContext = Object.freeze({
    charset,
    ansiQuotes,
    noBackslashEscapes,
    ignoreSpace,
    flavor,
    versionId,
    key: contexts.size + 1,
    byteClasses: makeByteClasses(charset, repertoire, ansiQuotes),
    characterLengths,
  });
  contexts.set(id, context);
  return context;
}

export const ASCII = /^[\0-\x7f]*$/;

/** Whether the client sends UTF-8: only then are bytes above 0x7f read as text. */
export function isUtf8(context: LexicalContext): boolean {
  return context.characterLengths[0xe3] === 3;
}

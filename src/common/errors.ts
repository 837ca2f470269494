/** Errors that know what to say to a client. The sentences and numbers are in `error-table.ts`. */
import { ERROR_TABLE, type ErrorDefinition } from './error-table.ts';

/** Stable: printed in logs and metrics exactly like this. */
export type ErrorCode = keyof typeof ERROR_TABLE;

export type FieldValue = string | number;

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** The fields that the message of a code needs, e.g. `{ address, waitMs, limit }`. */
export type ErrorFields<Code extends ErrorCode> = {
  readonly [Name in Placeholders<(typeof ERROR_TABLE)[Code]['message']>]: FieldValue;
};

/** What an ERR packet carries. */
export interface ClientError {
  readonly errno: number;
  /** Five characters, without the `#` of the packet. */
  readonly sqlState: string;
  readonly message: string;
}

/** Clients reserve this much for a message (MYSQL_ERRMSG_SIZE). */
const MAX_MESSAGE_BYTES = 512;

export const ERROR_CODES = Object.keys(ERROR_TABLE) as readonly ErrorCode[];

export function errorDefinition(code: ErrorCode): ErrorDefinition {
  return ERROR_TABLE[code];
}

/** Cuts at a character's border, so that a multi-byte character is never sent in half. */
function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

function fillIn(template: string, fields: Readonly<Record<string, FieldValue>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(fields[name] ?? '?'));
}

function render(code: ErrorCode, fields: Readonly<Record<string, FieldValue>>): ClientError {
  const { errno, sqlState, message } = errorDefinition(code);
  return { errno, sqlState, message: truncateUtf8(fillIn(message, fields), MAX_MESSAGE_BYTES) };
}

/** The ERR packet's content for a code; `fields` fill its message. */
export function clientError<Code extends ErrorCode>(code: Code, fields: ErrorFields<Code>): ClientError {
  return render(code, fields);
}

/** The base of every error that Sluice itself raises about a client, a server or a limit. */
export class ProxyError extends Error {
  readonly code: ErrorCode;
  /** Address, hostgroup, limit…: for logs and metrics, so that nobody has to take the message apart. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Whether the statement certainly did not run. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, fields: Readonly<Record<string, FieldValue>>, cause?: unknown) {
    super(render(code, fields).message, cause === undefined ? undefined : { cause });
    this.name = 'ProxyError';
    this.code = code;
    this.fields = fields;
    this.retryable = errorDefinition(code).retryable;
  }

  toClientError(): ClientError {
    return render(this.code, this.fields);
  }
}

/** Like `new ProxyError`, with the fields of the code checked by the compiler. */
export function proxyError<Code extends ErrorCode>(
  code: Code,
  fields: ErrorFields<Code>,
  cause?: unknown,
): ProxyError {
  return new ProxyError(code, fields, cause);
}

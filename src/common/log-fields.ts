/** Makes the fields of a log record plain, bounded and free of secrets, whatever was put into them. */

export type LogFields = Readonly<Record<string, unknown>>;

const MAX_TEXT_LENGTH = 2000;
const MAX_ELEMENTS = 50;
const MAX_DEPTH = 5;

/** `usingPassword: 'YES'` is part of MySQL's own message for a refused login and no secret. */
const SECRET = /(?<!^using)(password|passwd|secret|scramble|privatekey|authresponse|authdata)$/i;
/** Names that pino gives to its own parts of a record. */
const RESERVED = /^(level|time|msg)$/;

function plainError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...own } = error as Error & Record<string, unknown>;
  return {
    type: error.name,
    message: error.message,
    ...plainObject(own, depth),
    ...(error.cause === undefined ? {} : { cause: plainValue(error.cause, depth + 1) }),
    stack: error.stack?.slice(0, MAX_TEXT_LENGTH),
  };
}

function plainObject(value: object, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value).slice(0, MAX_ELEMENTS)) {
    plain[key] = SECRET.test(key) ? '[redacted]' : plainValue(child, depth + 1);
  }
  return plain;
}

function plainValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT_LENGTH ? `${value.slice(0, MAX_TEXT_LENGTH)}…` : value;
    case 'bigint':
      return String(value);
    case 'function':
    case 'symbol':
      return undefined;
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  // Depth also ends a structure that holds itself.
  if (depth >= MAX_DEPTH) return '…';
  if (value instanceof Error) return plainError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ELEMENTS).map((each) => plainValue(each, depth + 1));
  if (value instanceof Map || value instanceof Set) return plainValue([...value], depth);
  return plainObject(value, depth);
}

export function plainFields(fields: LogFields): Record<string, unknown> {
  const plain = plainObject(fields, 0);
  for (const key of Object.keys(plain)) {
    if (!RESERVED.test(key)) continue;
    plain[`${key}_`] = plain[key];
    delete plain[key];
  }
  return plain;
}

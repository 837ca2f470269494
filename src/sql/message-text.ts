/** What may be kept of a server's error message: servers quote the statement, and with it what is in its literals. */

/** An apostrophe between letters is none: `doesn't`. */
const OPENING = /(?<![\p{L}\p{N}])'/u;
const CLOSING = /'(?![\p{L}\p{N}])/gu;

/**
 * Everything from the first quote to the last one becomes `'?'`, since nothing tells which quotes of a literal are its
 * own; where the last one is missing, to the end.
 */
export function withoutQuoted(message: string): string {
  const opening = OPENING.exec(message);
  if (opening === null) return message;
  let end = message.length;
  for (const closing of message.matchAll(CLOSING)) if (closing.index > opening.index) end = closing.index + 1;
  return `${message.slice(0, opening.index)}'?'${message.slice(end)}`;
}

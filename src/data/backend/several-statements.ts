/**
 * Whether a server connection takes several statements in one text. It does as its client's capabilities say; where they
 * say no, Sluice may allow it for a text of its own, and forbids it again in front of a client's text that might hold more
 * than one: so no client can do there what its own server connection would refuse.
 */

import { AnswerShape, Capability, Command } from '../../../protocol/index.ts';
import type { BackendConnection } from './backend-connection.ts';
import { ownReply, RecordingReply } from './recording-reply.ts';

/** Arguments of COM_SET_OPTION: MYSQL_OPTION_MULTI_STATEMENTS_ON, MYSQL_OPTION_MULTI_STATEMENTS_OFF. */
const ON = Buffer.from([0, 0]);
const OFF = Buffer.from([1, 0]);
const SEMICOLON = 0x3b;
const SPACE = 0x20;

/** From here on the connection takes them. */
export function allowSeveral(connection: BackendConnection): void {
  const isAllowed = (connection.capabilities & Capability.CLIENT_MULTI_STATEMENTS) !== 0;
  if (isAllowed || connection.takesSeveral) return;
  connection.takesSeveral = true;
  set(connection, ON);
}

/** A client's text is about to be sent. */
export function forbidSeveral(connection: BackendConnection, text: Buffer): void {
  if (!mayBeSeveral(text)) return;
  connection.takesSeveral = false;
  set(connection, OFF);
}

/** By its bytes alone: in none of the character sets that clients may use is a semicolon part of another character. */
function mayBeSeveral(text: Buffer): boolean {
  const first = text.indexOf(SEMICOLON);
  if (first < 0) return false;
  for (let at = first; at < text.length; at++) if (text[at] !== SEMICOLON && text[at]! > SPACE) return true;
  return false;
}

function set(connection: BackendConnection, argument: Buffer): void {
  const recorder = new RecordingReply(
    (_, { errno }) => {
      // Which of both it is now nobody knows.
      if (errno !== 0) connection.tainted = true;
    },
    () => undefined,
  );
  connection.sendCommand(Command.COM_SET_OPTION, argument, ownReply(recorder, AnswerShape.single));
}

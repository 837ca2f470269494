/** What consistent hashing keeps together: the key of a read, from what the hostgroup says that keys are. */

import { Command } from '../../../protocol/index.ts';
import { mixedBits } from '../../common/mixed-bits.ts';
import { hashTokens } from '../../sql/token-hash.ts';
import { HashKey } from '../../topology/balancing.ts';
import type { Dialect } from '../backend/backends.ts';
import { hashText } from '../backend/balancing/hash-ring.ts';
import type { ClientStatement } from './client-statement.ts';
import type { SessionState } from './session-state.ts';

/** No key: any server will do. */
export const NO_AFFINITY = -1;

export interface AffinityClient {
  readonly username: string;
  readonly state: SessionState;
}

/**
 * @param buffer `buffer[start, end)` is the command; null where nothing is to be sent
 * @param statement what is executed, if it is a prepared statement
 */
export function affinityOf(
  key: HashKey,
  { username, state }: AffinityClient,
  { flavor, versionId }: Dialect,
  statement: ClientStatement | null,
  buffer: Buffer | null,
  start: number,
  end: number,
): number {
  if (key === HashKey.user) return hashText(username);
  if (key === HashKey.schema) return hashText(state.schema ?? '');
  const context = state.lexicalContext(flavor, versionId);
  if (buffer === null || context === null || end <= start) return NO_AFFINITY;
  if (buffer[start] === Command.COM_QUERY) return mixedBits(hashTokens(buffer, start + 1, end, context));
  if (buffer[start] !== Command.COM_STMT_EXECUTE || statement === null) return NO_AFFINITY;
  const { definition } = statement;
  definition.tokenHash ??= hashTokens(definition.text, 0, definition.text.length, context);
  return mixedBits(statement.hashParameters(buffer, start, end, definition.tokenHash));
}

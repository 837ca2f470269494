/** OK packets: what a server says after every write, and, tracked, of the session. */

import {
  Capability,
  decodeOk,
  decodeSessionState,
  encodeOk,
  SessionTrackType,
  StatusFlag,
  uniteCapabilities,
} from '../../protocol/index.ts';
import type { Microbenchmark } from './harness.ts';

const CAPABILITIES = uniteCapabilities(
  Capability.CLIENT_PROTOCOL_41,
  Capability.CLIENT_TRANSACTIONS,
  Capability.CLIENT_SESSION_TRACK,
);

function sessionState(): Buffer {
  const entry = (name: string, value: string) => {
    const data = Buffer.concat([lengthPrefixed(name), lengthPrefixed(value)]);
    return Buffer.concat([Buffer.from([SessionTrackType.SYSTEM_VARIABLES, data.length]), data]);
  };
  return Buffer.concat([entry('autocommit', 'OFF'), entry('character_set_client', 'utf8mb4')]);
}

function lengthPrefixed(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

const PLAIN = encodeOk(
  { affectedRows: 1, lastInsertId: 70_000, statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT },
  CAPABILITIES,
);
const TRACKED = encodeOk(
  { statusFlags: StatusFlag.SERVER_SESSION_STATE_CHANGED, sessionState: sessionState() },
  CAPABILITIES,
);

export const benchmarks: readonly Microbenchmark[] = [
  {
    name: 'OK: decode',
    bytesPerOperation: PLAIN.length,
    run: (operations) => {
      let sum = 0;
      for (let operation = 0; operation < operations; operation++) {
        const ok = decodeOk(PLAIN, CAPABILITIES);
        sum += ok.statusFlags + ok.warnings + Number(ok.affectedRows);
      }
      return sum;
    },
  },
  {
    name: 'OK: decode with two tracked variables',
    bytesPerOperation: TRACKED.length,
    run: (operations) => {
      let sum = 0;
      for (let operation = 0; operation < operations; operation++) {
        const state = decodeOk(TRACKED, CAPABILITIES).sessionState;
        sum += state === null ? 0 : decodeSessionState(state).length;
      }
      return sum;
    },
  },
];

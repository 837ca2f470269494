/** Points a server at the primary: a replica at another one, or a former primary for the first time. */

import type { ReplicationCredentials, ServerOperator } from './servers/server-operator.ts';
import type { ReplicationChannelState, ServerState } from './servers/server-state.ts';

const FOLLOW_WITHIN_MS = 10_000;
const POLL_MS = 50;

/** Where servers find a primary, and how the others replicate. */
export interface PrimaryPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** For a server that has no channel. */
  readonly credentials: ReplicationCredentials | null;
  /** The primary waits for acknowledgements of replicas. */
  readonly semiSync: boolean;
}

/** Read-only before it replicates: it must not be the one that writes. */
export async function followPrimary(
  operator: ServerOperator,
  state: ServerState,
  channel: ReplicationChannelState | null,
  primary: PrimaryPlace,
): Promise<void> {
  if (!state.readOnly && !state.superReadOnly) await operator.setReadOnly();
  // A replica that waited for acknowledgements itself would hold up what it replicates.
  if (primary.semiSync && state.semiSync.available) await operator.setSemiSync(false, true);
  const source = {
    host: primary.host,
    port: primary.port,
    credentials: channel === null ? primary.credentials : null,
    tls: channel === null ? primary.tls : null,
  };
  await operator.follow(source, channel?.name ?? '');
}

/** Until both threads run, or for FOLLOW_WITHIN_MS. @returns why not, '' when they do */
export async function replicationProblem(operator: ServerOperator): Promise<string> {
  const end = performance.now() + FOLLOW_WITHIN_MS;
  let problem = 'no channel';
  while (performance.now() < end) {
    const { channels } = await operator.readState();
    const [channel] = channels;
    if (channel !== undefined) {
      if (channel.ioRunning === 'Yes' && channel.sqlRunning === 'Yes') return '';
      problem = channel.sqlError || channel.ioError || `IO thread ${channel.ioRunning}`;
      // A stopped thread says why, and does not begin again by itself.
      if (channel.ioRunning === 'No' || channel.sqlRunning === 'No') {
        if (channel.sqlError !== '' || channel.ioError !== '') return problem;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return `replication does not run: ${problem}`;
}

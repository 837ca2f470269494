/** What becomes of a statement whose connection is lost. Pure: the one place that decides it. */

import { type ClientError, clientError } from '../../common/errors.ts';

/** PROXY_STATE_NOT_RESTORED. */
const ER_STATE_NOT_RESTORED = 9006;
/** Unless a query rule says otherwise. */
export const DEFAULT_RETRIES = 2;

export const LossAction = {
  /** It is sent again, on another connection. */
  repeat: 'repeat',
  /** As `repeat`, and only the primary will do. */
  repeatOnPrimary: 'repeatOnPrimary',
  /** The client gets the error as its answer. */
  fail: 'fail',
  /** Part of an answer has gone out: the error must find a place behind it. */
  failInAnswer: 'failInAnswer',
} as const;
export type LossAction = (typeof LossAction)[keyof typeof LossAction];

export interface LossFacts {
  readonly address: string;
  readonly reason: string;
  /** Bytes of the answer have come. */
  readonly started: boolean;
  /** The statement itself may have reached the server. */
  readonly sent: boolean;
  /** Sending it twice does no harm. */
  readonly repeatable: boolean;
  readonly attempts: number;
  /** Further ones that there may be, all in all. */
  readonly retries: number;
  /** The session had a transaction, or state, on the connection. */
  readonly wasHeld: boolean;
  readonly isProvenRead: boolean;
  readonly onReplica: boolean;
  /** The server has sent what no server sends. */
  readonly brokeProtocol: boolean;
  /** Why the connection could not be brought into the session's state. */
  readonly stateError: ClientError | null;
}

export type LossVerdict =
  | { readonly action: typeof LossAction.repeat | typeof LossAction.repeatOnPrimary }
  | { readonly action: typeof LossAction.fail | typeof LossAction.failInAnswer; readonly error: ClientError };

export function verdictOfLoss(facts: LossFacts): LossVerdict {
  const { stateError, started } = facts;
  const isHarmless = facts.repeatable || !facts.sent;
  const mayRepeat = !facts.wasHeld && !started && isHarmless && facts.attempts <= facts.retries;
  if (mayRepeat && stateError === null) return { action: LossAction.repeat };
  // Another connection may be brought in line where this one could not, and what one replica refuses the primary has
  // accepted; a schema that the primary refuses is refused everywhere.
  const mayBeAccepted = facts.onReplica || stateError?.errno === ER_STATE_NOT_RESTORED;
  if (mayRepeat && mayBeAccepted) return { action: LossAction.repeatOnPrimary };
  if (stateError !== null) return { action: LossAction.fail, error: stateError };
  const error = errorOfLoss(facts);
  return { action: started ? LossAction.failInAnswer : LossAction.fail, error };
}

function errorOfLoss({ address, reason, isProvenRead, brokeProtocol, started }: LossFacts): ClientError {
  if (isProvenRead && brokeProtocol) return clientError('PROXY_BACKEND_MALFORMED', { address, reason });
  if (isProvenRead && started) return clientError('PROXY_BACKEND_LOST', { address, reason });
  return clientError('PROXY_OUTCOME_UNKNOWN', { address, reason });
}

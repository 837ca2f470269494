/**
 * How a session begins: what its variables are, which a first connection of its kind tells, and whether the schema
 * named at login can be used.
 */

import { type ClientError, clientError } from '../../common/errors.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { ClassReason } from '../../sql/statement-class.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { InitialVariables, WorkerContext } from '../worker-context.ts';
import type { Session } from './session.ts';

const TO_PRIMARY = routeOf(RouteTarget.primary, ClassReason.notARead);
const TO_REPLICA = routeOf(RouteTarget.replica, RouteReason.noPrimary);

export class SessionStart {
  readonly #session: Session;
  readonly #context: WorkerContext;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  /** null until a connection of this kind has been made in this worker. */
  get initialVariables(): InitialVariables | null {
    const { connectionKey, collationId } = this.#session;
    return this.#context.initialVariables.get(`${connectionKey.text} ${collationId}`) ?? null;
  }

  /** Before the first statement, whose packet is `buffer[start, end)`: `then` gets a copy when its turn has come. */
  learn(buffer: Buffer, start: number, end: number, then: (packet: Buffer) => void): void {
    const session = this.#session;
    const packet = Buffer.from(buffer.subarray(start, end));
    const known = this.initialVariables;
    if (known !== null) {
      session.state.variables = known.atLogin;
      then(packet);
      return;
    }
    session.touchServer(this.#anyServer(), (error) => {
      if (error === null) then(packet);
      else session.refuse(error);
    });
  }

  /** Makes sure that the schema named at login, or in COM_CHANGE_USER, can be used. */
  enterSchema(schema: string | null, done: (error: ClientError | null) => void): void {
    const { state } = this.#session;
    state.variables = this.initialVariables?.atLogin ?? null;
    state.schema = schema;
    if (schema === null) done(null);
    else this.#session.touchServer(this.#anyServer(), done);
  }

  /** For what every server can tell; without a primary the replicas go on alone. */
  #anyServer(): Route {
    const { backends } = this.#context;
    const hasReaders = backends.hasReaders(this.#session.routing.destination);
    return backends.primary === null && hasReaders ? TO_REPLICA : TO_PRIMARY;
  }
}

/** What a run reports that has failed without an error of its own. */
export function errorOfRun(errno: number, error: ClientError | null): ClientError | null {
  if (errno === 0) return null;
  return error ?? clientError('PROXY_INTERNAL', { reason: `${errno}` });
}

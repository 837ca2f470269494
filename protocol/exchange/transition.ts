import { IllegalTransitionError } from '../errors.ts';

/** Where each state may lead. */
export type TransitionTable<State extends string> = Readonly<Record<State, readonly State[]>>;

/** Returns `to` if the table allows the move, else throws `IllegalTransitionError`. */
export function transition<State extends string>(
  machine: string,
  table: TransitionTable<State>,
  from: State,
  to: State,
): State {
  if (!table[from].includes(to)) throw new IllegalTransitionError(machine, from, to, table[from]);
  return to;
}

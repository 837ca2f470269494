/**
 * Legal transitions as data. A state machine names its table once and moves only through the function made here,
 * so that an impossible move is a thrown bug at the place where it happens and not a wrong state found later.
 */

export class IllegalTransitionError extends Error {
  readonly machine: string;
  readonly from: string;
  readonly to: string;
  readonly allowed: readonly string[];

  constructor(machine: string, from: string, to: string, allowed: readonly string[]) {
    super(
      `${machine}: illegal transition from ${from} to ${to}, allowed: ${allowed.length === 0 ? 'none' : allowed.join(', ')}`,
    );
    this.name = 'IllegalTransitionError';
    this.machine = machine;
    this.from = from;
    this.to = to;
    this.allowed = allowed;
  }
}

/** Returns `(from, to) => to`, which throws IllegalTransitionError where `table[from]` does not list `to`. */
export function makeTransitions<State extends string>(
  machine: string,
  table: Readonly<Record<State, readonly State[]>>,
): (from: State, to: State) => State {
  return (from, to) => {
    const allowed: readonly State[] = table[from] ?? [];
    if (!allowed.includes(to)) throw new IllegalTransitionError(machine, from, to, allowed);
    return to;
  };
}

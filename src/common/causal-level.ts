/** Which writes a read on a replica must see. */
export const CausalLevel = {
  /** Whatever the replica has. */
  none: 'none',
  /** What its own session has written. */
  session: 'session',
  /** What anybody has written to its tables through this Sluice. */
  table: 'table',
} as const;
export type CausalLevel = (typeof CausalLevel)[keyof typeof CausalLevel];

/** From weak to strong. */
export const CAUSAL_LEVELS: readonly CausalLevel[] = [
  CausalLevel.none,
  CausalLevel.session,
  CausalLevel.table,
];

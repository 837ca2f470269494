/** What shadow rules would have changed: values that workers give when they are asked. */

/** What would be otherwise with a statement. */
export const ShadowEffect = {
  /** It would go to another hostgroup or another kind of server. */
  elsewhere: 'elsewhere',
  /** It would get an error. */
  blocked: 'blocked',
  /** It would no longer get one. */
  allowed: 'allowed',
  /** It would be answered with an OK, or no longer so. */
  answered: 'answered',
  /** Its text would be another one. */
  rewritten: 'rewritten',
  /** Time-outs, retries, delays, mirrors, multiplexing, limits and the like. */
  otherwise: 'otherwise',
} as const;
export type ShadowEffect = (typeof ShadowEffect)[keyof typeof ShadowEffect];

export interface ShadowSample {
  readonly effect: ShadowEffect;
  readonly digest: string;
  readonly digestText: string;
  readonly username: string;
  readonly schema: string | null;
  /** As it is, and as it would be. */
  readonly current: string;
  readonly shadow: string;
  readonly statements: number;
}

/** Of one worker. */
export interface ShadowRecord {
  readonly worker: number;
  /** Statements that were looked at. */
  readonly statements: number;
  readonly effects: Readonly<Record<ShadowEffect, number>>;
  readonly hits: readonly { readonly ruleId: number; readonly hits: number }[];
  readonly samples: readonly ShadowSample[];
  /** Statements that would change, and of which there was no place for a sample. */
  readonly unsampled: number;
}

/** `@@sluice.…` of causal reads: which writes the session's reads must see, and which was its last one. */

import { CAUSAL_LEVELS, type CausalLevel } from '../../common/causal-level.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import type { SessionCausality } from '../causal/session-causality.ts';
import type { WorkerContext } from '../worker-context.ts';
import { type SluiceVariables, wrongValue } from './own-variables.ts';

const LEVEL = 'causal_reads';
const WAIT = 'causal_wait_ms';
const LAST = 'last_gtid';
const LEAST = 'min_gtid';
/** As `causalReads.waitMs` may be. */
const MAX_WAIT_MS = 5000;
const MAX_SHOWN = 64;

export class CausalVariables implements SluiceVariables {
  readonly names = [LEVEL, WAIT, LAST, LEAST];
  readonly readOnly: ReadonlySet<string> = new Set([LAST]);
  readonly #causality: SessionCausality;
  readonly #context: WorkerContext;
  /** The level, where the session has not said one. */
  readonly #otherwise: () => CausalLevel;
  #minGtid = '';

  constructor(causality: SessionCausality, context: WorkerContext, otherwise: () => CausalLevel) {
    this.#causality = causality;
    this.#context = context;
    this.#otherwise = otherwise;
  }

  read(name: string): string | null {
    const { level, waitMs, lastGtid, minGtid } = this.#causality;
    if (name === LEVEL) return level ?? this.#otherwise();
    if (name === WAIT) return String(waitMs ?? this.#context.snapshot.settings.causalReads.waitMs);
    if (name === LAST) return lastGtid === '' ? null : lastGtid;
    // Gone with COM_RESET_CONNECTION.
    return minGtid === 0 ? '' : this.#minGtid;
  }

  write(name: string, value: string | null): ClientError | null {
    if (name === LEVEL) return this.#setLevel(value);
    return name === WAIT ? this.#setWait(value) : this.#setMinGtid(value ?? '');
  }

  #setLevel(value: string | null): ClientError | null {
    const level = value === null ? null : CAUSAL_LEVELS.find((one) => one === value.toLowerCase());
    if (level === undefined) return wrongValue(LEVEL, value ?? '');
    this.#causality.level = level;
    return null;
  }

  #setWait(value: string | null): ClientError | null {
    const waitMs = value === null ? null : /^\d{1,5}$/.test(value) ? Number(value) : -1;
    if (waitMs !== null && (waitMs < 0 || waitMs > MAX_WAIT_MS)) return wrongValue(WAIT, value ?? '');
    this.#causality.waitMs = waitMs;
    return null;
  }

  #setMinGtid(value: string): ClientError | null {
    const position = value === '' ? 0 : this.#context.causality.sources.positionNamed(value);
    if (position === null) return clientError('PROXY_NO_GTID', { value: value.slice(0, MAX_SHOWN) });
    this.#causality.minGtid = position;
    this.#minGtid = value;
    return null;
  }
}

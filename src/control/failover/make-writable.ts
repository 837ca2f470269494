/** The step of a new primary behind which there is no way back. */

import { describeError } from '../monitor/server-error.ts';
import type { ServerOperator } from './servers/server-operator.ts';
import { isReadOnly } from './servers/server-state.ts';
import { UnknownOutcomeError } from './step-run.ts';
import { retrying } from './until.ts';

const ATTEMPTS = 3;
const PAUSE_MS = 300;

/**
 * If the answer was lost, the server itself says whether it was carried out.
 * @returns what is worth telling, '' for nothing
 * @throws UnknownOutcomeError where it cannot be asked either
 */
export async function makeWritable(operator: ServerOperator): Promise<string> {
  try {
    await operator.setWritable();
    return '';
  } catch (error) {
    const state = await retrying(() => operator.readState(), ATTEMPTS, PAUSE_MS).catch(() => null);
    if (state === null) {
      const text = `nobody knows whether ${operator.address} is writable now (${describeError(error)}): all stays as it is until it answers`;
      throw new UnknownOutcomeError(text, error);
    }
    if (isReadOnly(state)) throw error;
    return `it is writable, though its answer was lost: ${describeError(error)}`;
  }
}

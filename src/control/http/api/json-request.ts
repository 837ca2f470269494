/** Requests whose body is JSON, and how they are refused. */
import { isJsonObject } from '../../../common/json-object.ts';
import { type Answer, json } from '../http-answer.ts';
import type { HttpCall } from '../http-route.ts';
import type { ProblemValue } from './api-values.ts';

/** The members of a JSON object; null for anything else. */
export function readJson({ headers, body }: HttpCall): Readonly<Record<string, unknown>> | null {
  // Forms of other sites cannot have this type without asking first.
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return null;
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function problem(status: number, error: string): Answer {
  return json(status, { error } satisfies ProblemValue);
}

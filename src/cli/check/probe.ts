/** `sluice check --ready` and `--alive`: one question to the http port, for health checks of containers and keepalived. */
import { httpGet } from './http-get.ts';
import type { HttpPlace } from './http-place.ts';

export const ProbeKind = { ready: 'ready', alive: 'alive' } as const;
export type ProbeKind = (typeof ProbeKind)[keyof typeof ProbeKind];

export interface ProbeResult {
  readonly passed: boolean;
  /** One line. */
  readonly text: string;
}

const PATHS: Readonly<Record<ProbeKind, string>> = { ready: '/readyz', alive: '/healthz' };

export async function probe(kind: ProbeKind, place: HttpPlace, timeoutMs: number): Promise<ProbeResult> {
  const { host, port, isTls } = place;
  // It is asked what everybody may ask, and is told no secret: whose certificate it shows does not matter.
  const tls = isTls ? { verify: false, ca: null } : null;
  try {
    const { status, body } = await httpGet({ host, port, tls, path: PATHS[kind], timeoutMs });
    if (status === 200) return { passed: true, text: kind };
    return { passed: false, text: `not ${kind}: ${reasonsOf(body) ?? `HTTP status ${status}`}` };
  } catch (error) {
    const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return { passed: false, text: `not ${kind}: ${where}: ${(error as Error).message}` };
  }
}

function reasonsOf(body: string): string | null {
  try {
    const { reasons } = JSON.parse(body) as { readonly reasons?: unknown };
    return Array.isArray(reasons) && reasons.length > 0 ? reasons.join('; ') : null;
  } catch {
    return null;
  }
}

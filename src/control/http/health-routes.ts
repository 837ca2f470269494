/** `/healthz` for what restarts a dead process, `/readyz` for what sends it clients, `/metrics` for Prometheus. */
import { json } from './http-answer.ts';
import { type HttpRoute, RouteAccess } from './http-route.ts';
import { SharedWork } from './precomputed.ts';

export interface Liveness {
  /** The process answers, and every worker runs or is being restarted. */
  readonly alive: boolean;
  readonly reasons: readonly string[];
}

export interface Readiness {
  readonly ready: boolean;
  /** What is missing; empty when ready. */
  readonly reasons: readonly string[];
}

export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

export interface HealthSources {
  readonly liveness: () => Liveness;
  readonly readiness: () => Readiness;
  readonly metrics: MetricsPage;
}

export function healthRoutes(sources: HealthSources): HttpRoute[] {
  const { liveness, readiness, metrics } = sources;
  const page = new SharedWork(() => metrics.render());
  return [
    {
      method: 'GET',
      path: '/healthz',
      access: RouteAccess.open,
      isHealth: true,
      answer: () => {
        const { alive, reasons } = liveness();
        return json(alive ? 200 : 503, { status: alive ? 'ok' : 'failing', reasons });
      },
    },
    {
      method: 'GET',
      path: '/readyz',
      access: RouteAccess.open,
      isHealth: true,
      answer: () => {
        const { ready, reasons } = readiness();
        return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', reasons });
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      access: RouteAccess.metrics,
      answer: async () => ({ status: 200, contentType: metrics.contentType, body: await page.get() }),
    },
  ];
}

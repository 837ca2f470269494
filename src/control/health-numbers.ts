/** What alerts go by, taken from the parts of the main thread at the moment of a scrape. */

import { thisMachine } from '../../config/machine.ts';
import { takeSizes } from '../../config/sizing.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import type { FailoverRoom } from './failover-room.ts';
import type { Readiness } from './http/health-routes.ts';
import type { HealthNumbers } from './metrics/health-metrics.ts';
import type { DeferredRuntime } from './runtime/deferred-runtime.ts';
import type { WriteRoom } from './write-room.ts';

export function takeHealth(
  readiness: Readiness,
  failover: FailoverRoom,
  writes: WriteRoom,
  certificates: CertificateKeeper,
  runtime: DeferredRuntime,
): HealthNumbers {
  return {
    isReady: readiness.ready,
    failoverObstacles: failover.obstacles,
    writesInDoubt: writes.doubts.count,
    certificates: certificates.ends,
    isFileRefused: runtime.isFileRefused,
    ...takeSizes(runtime.config, thisMachine()),
  };
}

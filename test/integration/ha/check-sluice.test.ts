/** What keepalived asks each second, against answers of every kind. */

import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { freePort } from '../../support/ports.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';

const SCRIPT = join(checkoutDirectory, 'docker/ha/check-sluice');
const OWN = '127.0.0.1';
const OTHER = '127.0.0.2';
/** keepalived waits for this long. */
/** What keepalived allows; by day it is enough that nobody waits for ever. */
const TIMEOUT_MS = isNightly ? 1000 : 10_000;
const port = await freePort();

/** `silent` takes connections and says nothing; null is nobody. */
type Answer = 200 | 503 | 'silent' | null;

async function answering(host: string, answer: Answer): Promise<Server | null> {
  if (answer === null) return null;
  const server = createServer((_, response) => {
    if (answer === 'silent') return;
    response.statusCode = answer;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen({ host, port }, resolve));
  return server;
}

function check(): Promise<{ code: number; tookMs: number }> {
  const beganMs = performance.now();
  return new Promise((resolve) => {
    // Without an environment, as keepalived may have none.
    execFile(SCRIPT, [OWN, OTHER, String(port)], { env: {} }, (error) => {
      resolve({ code: Number(error?.code ?? 0), tookMs: performance.now() - beganMs });
    });
  });
}

for (const [own, other, code, why] of [
  [200, 503, 0, 'it is ready'],
  [200, 200, 0, 'both are ready: it stays where it is'],
  [503, 200, 1, 'the other one is ready'],
  [503, 503, 0, 'none is ready: an address that nobody has helps nobody'],
  [503, null, 0, 'the other one is gone'],
  [503, 'silent', 0, 'the other one is frozen'],
  ['silent', 503, 1, 'it is frozen'],
  [null, 503, 1, 'it is gone'],
] as const satisfies readonly (readonly [Answer, Answer, number, string])[]) {
  t.test(`${own ?? 'nobody'} here, ${other ?? 'nobody'} there: ${why}`, async (t) => {
    const servers = [await answering(OWN, own), await answering(OTHER, other)];
    t.teardown(() => {
      for (const server of servers) {
        server?.close();
        server?.closeAllConnections();
      }
    });
    const outcome = await check();
    t.equal(outcome.code, code);
    t.ok(outcome.tookMs < TIMEOUT_MS, `${outcome.tookMs.toFixed()} ms`);
  });
}

import type { Test } from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { AppStage } from '../app-stage.ts';
import { plainPage } from './plain-page.ts';
import { WordpressSite } from './site.ts';
import { Visit, type Visited } from './visit.ts';

const SCHEMAS = ['wp_direct', 'wp_sluice'] as const;

/** Two sites, one on the server and one on Sluice; the same visits, and the pages are the same. */
export async function runWordpress(t: Test, flavor: ServerFlavor): Promise<void> {
  const stage = await AppStage.start(t, flavor);
  for (const schema of SCHEMAS) await stage.createSchema(schema);
  const visits = [
    { endpoint: stage.set.primary, schema: SCHEMAS[0] },
    { endpoint: stage.sluice, schema: SCHEMAS[1] },
  ].map(async ({ endpoint, schema }) => {
    const site = await WordpressSite.start(stage.target(endpoint, schema));
    try {
      return await new Visit(site).run();
    } finally {
      await site.stop();
    }
  });
  const [direct, proxied] = (await Promise.all(visits)) as [readonly Visited[], readonly Visited[]];
  t.equal(proxied.length, direct.length, 'as many pages');
  for (const [index, { step, page }] of direct.entries()) comparePages(t, step, page, proxied[index]?.page);
  const failed = direct.filter(({ page }) => page.status >= 500).map(({ step }) => step);
  t.same(failed, [], 'straight, no page fails');
  const shares = await Promise.all(
    SCHEMAS.map((schema) => stage.set.primary.queryValue(`SELECT COUNT(*) FROM ${schema}.wp_posts`)),
  );
  t.equal(shares[1], shares[0], 'as many posts');
  t.ok(Number(shares[0]) > 15, 'there are posts');
  const server = stage.set.replicas[0]?.address ?? '';
  t.ok(
    (await stage.sluice.metric('sluice_server_queries_total', { server })) > 100,
    'replicas have answered',
  );
}

function comparePages(
  t: Test,
  step: string,
  expected: Visited['page'],
  actual: Visited['page'] | undefined,
): void {
  const [one, other] = [expected, actual].map((page) => [
    `${page?.status} ${page?.type} ${plainPage(page?.location ?? '')}`,
    ...plainPage(page?.body ?? '').split('\n'),
  ]) as [string[], string[]];
  const at = one.findIndex((line, index) => line !== other[index]);
  if (at < 0 && one.length === other.length) t.pass(step);
  else t.equal(shown(other[at], one[at]), shown(one[at], other[at]), `${step}: line ${at}`);
}

/** Lines of REST answers are long: from a little before the difference. */
function shown(line: string | undefined, beside: string | undefined): string {
  let from = 0;
  while (line !== undefined && from < line.length && line[from] === beside?.[from]) from++;
  return String(line?.slice(Math.max(0, from - 60), from + 200));
}

/** The dashboard in Chromium, in front of real servers: what people see, what they may do, and what others may not. */
// sluice-test: long

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Page } from 'playwright-core';
import t from 'tap';
import { TestBrowser } from '../../support/browser.ts';
import { waitForReplicaReads } from '../../support/replica-reads.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const OPS = { username: 'ops', password: 'ops secret', role: 'admin' };
const WATCHER = { username: 'watcher', password: 'watcher secret', role: 'stats' };

const browser = await TestBrowser.start();
if (browser === null) {
  t.pass('no Chromium is installed', { skip: 'sh test/support/setup.sh tests installs it' });
  t.end();
} else await run(browser);

async function run(browser: TestBrowser): Promise<void> {
  const set = await new ReplicationSet({
    replicas: 2,
    sql: [
      'CREATE TABLE app.product (id INT PRIMARY KEY, name VARCHAR(40))',
      "INSERT INTO app.product VALUES (1, '<b>one</b>'), (2, 'two')",
    ],
  }).start();
  t.teardown(() => set.dispose());
  const config = {
    admin: { users: [OPS, WATCHER] },
    dataDir: t.testdir(),
    statistics: { historyIntervalMs: 1000 },
    queryRules: [{ ruleId: 7, matchDigest: '^SELECT COUNT', destinationHostgroup: 1, comment: 'counts' }],
  };
  const sluice = await SluiceProcess.startFor(set, { config });
  t.teardown(() => sluice.dispose());
  t.teardown(() => browser.close());
  const own = {
    servers: [set.primary.address],
    users: [{ username: 'app', password: 'app-secret' }],
  };
  const url = `http://${sluice.host}:${sluice.httpPort}`;
  const [first, second] = set.replicas.map(({ address }) => address) as [string, string];
  await waitUntil('both replicas are known and well', async () => {
    const { servers } = await overview(sluice);
    return servers.filter(({ role, status }) => role === 'replica' && status === 'ONLINE').length === 2;
  });

  await waitForReplicaReads(sluice, set, 'product');

  const { page, context, complaints } = await browser.open();
  t.afterEach(() => {
    t.strictSame(complaints.splice(0), [], 'the page complains of nothing');
  });

  await t.test('nobody sees anything without a login', async (t) => {
    await page.goto(url);
    t.equal(page.url(), `${url}/login`);
    await login(page, OPS.username, 'wrong');
    t.match(await page.textContent('[role=alert]'), 'wrong');
    // Chromium itself tells of the answer 401.
    complaints.splice(0);
    await login(page, OPS.username, OPS.password);
    await page.waitForURL(`${url}/`);
    const [cookie] = await context.cookies();
    t.match(cookie, { httpOnly: true, sameSite: 'Strict', path: '/' });
  });

  await t.test('the servers as they are, and what goes through them', async (t) => {
    await page.waitForSelector('article.server >> nth=2');
    const texts = await page.$$eval('article.server', (cards) => cards.map((card) => card.textContent ?? ''));
    t.equal(texts.length, 3);
    t.match(texts[0], new RegExp(`^primary.*ONLINE.*${set.primary.address}.*MariaDB 10`));
    for (const replica of [first, second])
      t.ok(
        texts.some((text) => /^replica.*ONLINE/.test(text) && text.includes(replica)),
        replica,
      );
    const client = await sluice.connect();
    for (let n = 0; n < 40; n++) await client.query('SELECT name FROM product WHERE id = 1');
    await client.query("UPDATE product SET name = 'two!' WHERE id = 2");
    await page.waitForSelector('figure.chart:has-text("Latency") canvas');
    await page.waitForSelector('figure.chart:has-text("Statements per second") canvas');
    // It tells of the last second, and of nothing if there were no statements in it.
    await waitUntil('the latency is shown', async () => {
      await client.query('SELECT 1');
      return /median [\d.]+ (µs|ms)/.test((await page.textContent('.tile:has-text("Latency")')) ?? '');
    });
    await client.end();
    t.match(await page.textContent('.badge'), 'ready');
    t.equal(await page.locator('.worker').count(), 2);
  });

  await t.test('statements with their route, and why', async (t) => {
    await page.click('nav >> text=Statements');
    const row = page.locator('tr:has-text("SELECT name FROM product WHERE id = ?")');
    await row.waitFor();
    t.match(await row.locator('td.column-count').textContent(), '40');
    t.match(await row.locator('td.column-route').textContent(), 'replicaproven-read');
    const write = page.locator('tr:has-text("UPDATE product")');
    t.match(await write.locator('td.column-route').textContent(), 'primarynot-a-read');
    await row.locator('button').click();
    t.match(await page.textContent('dialog .verdict'), 'replicaproven-read');
    t.match(await page.textContent('dialog .steps'), /tables.*app\.product/);
    await page.fill('#explain-statement', "SELECT '<img src=x onerror=alert(1)>' FROM product FOR UPDATE");
    await page.click('dialog >> text=Explain >> nth=-1');
    await page.waitForSelector('dialog .verdict:has-text("locking-read")');
    t.match(await page.textContent('dialog .steps'), 'FOR UPDATE');
    t.equal(await page.locator('dialog img').count(), 0, 'a text is never markup');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.fill('input[type=search]', 'UPDATE primary');
    await row.waitFor({ state: 'detached' });
    t.equal(await page.locator('tbody tr').count(), 1);
    await page.fill('input[type=search]', '');
  });

  await t.test('query rules with their hits, and the way back to an earlier configuration', async (t) => {
    const client = await sluice.connect();
    for (let n = 0; n < 3; n++) await client.query('SELECT COUNT(*) FROM product');
    await client.end();
    await page.click('nav >> text=Rules');
    const rule = page.locator('tr:has-text("match_digest = ^SELECT COUNT")');
    await rule.locator('td.column-hits:has-text("3")').waitFor();
    t.equal(await rule.locator('td.column-effects').textContent(), 'destination_hostgroup = 1');
    sluice.writeConfig({ ...config, ...own, queryRules: [] });
    sluice.signal('SIGHUP');
    await page.waitForSelector('.empty:has-text("There are no query rules")');
    await page.click('[aria-label="Go back to version 1"]');
    await page.click('dialog button.primary');
    await rule.waitFor();
    await page.waitForSelector('tr:has-text("as version 1") >> text=in force');
  });

  await t.test('hours and days, where they are kept', async (t) => {
    await page.click('nav >> text=Overview');
    await page.click('text=24 h');
    await page.waitForSelector('figure:has-text("All statements") canvas >> visible=true');
    t.match(await page.textContent('figure:has-text("To servers") >> visible=true'), /Clients\d+/);
    t.equal(await page.locator('figure:has-text("Latency")').isVisible(), false);
    await page.click('text=5 min');
    await page.waitForSelector('figure:has-text("Latency") canvas >> visible=true');
  });

  await t.test('sessions, their pins, and the end of one', async (t) => {
    const pinned = await sluice.connect();
    const other = await sluice.connect();
    const ended = new Promise<void>((resolve) => pinned.on('error', () => resolve()));
    await pinned.query('CREATE TEMPORARY TABLE scratch (a INT)');
    const id = await connectionId(pinned);
    const otherId = await connectionId(other);
    await page.click('nav >> text=Sessions');
    await page.waitForSelector(`tr:has-text("${id}")`);
    t.match(await page.textContent('.pin-list'), /temporary-table1/);
    await page.click('.choice:has-text("Pinned")');
    await page.waitForSelector(`tr:has-text("${otherId}")`, { state: 'detached' });
    t.match(await page.textContent(`tr:has-text("${id}") td.column-bound`), /temporary-table/);
    t.match(await page.textContent(`tr:has-text("${id}") td.column-server`), set.primary.address);

    await page.click(`.link:has-text("${id}")`);
    await page.waitForSelector('dialog .last-statements:has-text("CREATE TEMPORARY TABLE scratch")');
    t.match(await page.textContent('dialog .facts'), /Userapp.*Pin: temporary-table/);
    await page.keyboard.press('Escape');

    await page.click(`[aria-label="Kill session ${id}"]`);
    t.match(await page.textContent('dialog[open]'), new RegExp(`Session ${id} of app`));
    t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel', 'no by default');
    await page.click('dialog >> text=Cancel');
    await pinned.query('SELECT 1');
    await page.click(`[aria-label="Kill session ${id}"]`);
    await page.click('dialog button.primary');
    await ended;
    await page.waitForSelector(`tr:has-text("${id}")`, { state: 'detached' });
    t.match(await page.textContent('#notices'), `Session ${id} was killed`);

    await page.click('.choice:has-text("Busy")');
    const sleeping = other.query<RowDataPacket[]>('SELECT SLEEP(60) AS interrupted');
    const refused = t.rejects(sleeping, /interrupted/);
    await page.click(`tr:has-text("${otherId}") >> text=Kill query`);
    await page.click('dialog button.primary');
    await refused;
    await other.query('SELECT 1');
    await other.end();
    await page.click('.choice:has-text("All")');
    t.ok(await sluice.waitForLog(`KILL CONNECTION ${id}`), 'the log says who did it');
  });

  await t.test('a server is drained, and used again', async (t) => {
    await page.click('nav >> text=Overview');
    await page.click(`[aria-label="Drain ${first}"]`);
    t.match(await page.textContent('dialog'), 'gets no new statements');
    await page.click('dialog button.primary');
    await page.waitForSelector(`article[data-address="${first}"] >> text=OFFLINE_SOFT`);
    const client = await sluice.connect();
    const before = await queriesOf(sluice, first);
    for (let n = 0; n < 20; n++) await client.query('SELECT name FROM product WHERE id = 2');
    t.equal(await queriesOf(sluice, first), before, 'it gets no statements');
    await client.end();
    await page.click('nav >> text=Events');
    await page.waitForSelector(`tbody tr:has-text("${first}"):has-text("to=OFFLINE_SOFT")`);
    await page.click('nav >> text=Overview');
    await page.click(`[aria-label="Undrain ${first}"]`);
    await page.click('dialog button.primary');
    await page.waitForSelector(`article[data-address="${first}"] >> text=ONLINE`);
    await page.click(`[aria-label="Drain ${set.primary.address}"]`);
    t.match(await page.textContent('dialog'), /This is the primary: every write waits/);
    await page.keyboard.press('Escape');
  });

  await t.test('another site, even of the same host, cannot act for who has logged in', async (t) => {
    const evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<form method="post" action="${url}/api/drain" enctype="text/plain">
        <input name='{"address":"${first}","x":"' value='"}'></form>
        <form method="post" action="${url}/logout"></form>`);
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    t.teardown(() => evil.close());
    const page = await context.newPage();
    const from = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`;
    for (const form of [0, 1]) {
      await page.goto(from);
      const [response] = await Promise.all([
        page.waitForNavigation(),
        page.evaluate((index) => document.forms[index]?.submit(), form),
      ]);
      t.equal(response?.status(), 403);
      const { cookie } = (await response?.request().allHeaders()) ?? {};
      t.match(cookie, /^sluice_/, 'it is a port of the same site: the browser sends the cookie');
    }
    await page.goto(from);
    const outcome = await page.evaluate(
      (target) => fetch(target, { method: 'POST', credentials: 'include', body: '{}' }).then(String, String),
      `${url}/api/drain`,
    );
    t.match(outcome, 'TypeError', 'a script gets nothing');
    const framed = await page.evaluate(async (target) => {
      const frame = document.createElement('iframe');
      frame.src = target;
      document.body.append(frame);
      await new Promise((resolve) => frame.addEventListener('load', resolve));
      return frame.contentDocument?.body.textContent ?? 'nothing to see';
    }, url);
    t.equal(framed, 'nothing to see', 'nor does a frame');
    await page.close();
    t.ok(await sluice.waitForLog('http request refused'));
    const { servers } = await overview(sluice);
    t.ok(
      servers.every(({ status }) => status === 'ONLINE'),
      'nothing was drained',
    );
    t.equal(await me(), 200, 'nobody was logged out');
  });

  async function me(): Promise<number> {
    return page.evaluate(() => fetch('/api/me').then(({ status }) => status));
  }

  await t.test('a page of ours without its token changes nothing either', async (t) => {
    const status = await page.evaluate(
      (address) =>
        fetch('/api/drain', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-sluice-token': 'guessed' },
          body: JSON.stringify({ address }),
        }).then((response) => response.status),
      first,
    );
    t.equal(status, 403);
    complaints.splice(0);
  });

  await t.test('a stats user looks, and has nothing to press', async (t) => {
    const visit = await browser.open();
    t.teardown(() => visit.context.close());
    await visit.page.goto(url);
    await login(visit.page, WATCHER.username, WATCHER.password);
    await visit.page.waitForSelector('article.server >> nth=2');
    t.equal(await visit.page.locator('article.server button').count(), 0);
    const client = await sluice.connect();
    await visit.page.goto(`${url}/#/sessions`);
    await visit.page.waitForSelector('tbody tr');
    t.equal(await visit.page.locator('tbody .button').count(), 0);
    await client.end();
    t.strictSame(visit.complaints, []);
    const statuses = await visit.page.evaluate(async (address) => {
      const { csrfToken } = (await (await fetch('/api/me')).json()) as { csrfToken: string };
      const bodies = { drain: { address }, undrain: { address }, kill: { session: 1_073_741_829 } };
      const headers = { 'content-type': 'application/json', 'x-sluice-token': csrfToken };
      const answers = Object.entries(bodies).map(([action, body]) =>
        fetch(`/api/${action}`, { method: 'POST', headers, body: JSON.stringify(body) }),
      );
      return (await Promise.all(answers)).map(({ status }) => status);
    }, first);
    t.strictSame(statuses, [403, 403, 403]);
  });

  await t.test('everything by keyboard', async (t) => {
    await page.goto(`${url}/#/overview`);
    await page.reload();
    await page.waitForSelector('article.server');
    await page.keyboard.press('Tab');
    t.equal(await focused(page), 'Skip to the content');
    await page.keyboard.press('Enter');
    t.equal(await page.evaluate(() => document.activeElement?.id), 'content');
    await page.keyboard.press('2');
    await page.waitForURL(/#\/statements$/);
    await page.waitForSelector('input[type=search] >> visible=true');
    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.matches('input[type=search]'));
    await page.keyboard.type('3 updates');
    t.equal(
      await page.inputValue('input[type=search] >> visible=true'),
      '3 updates',
      'keys are letters there',
    );
    await page.keyboard.press('Escape');
    await page.keyboard.press('1');
    await page.waitForURL(/#\/overview$/);
    const button = `[aria-label="Drain ${second}"]`;
    for (let presses = 0; presses < 40; presses++) {
      if (await page.evaluate((selector) => document.activeElement?.matches(selector), button)) break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    t.equal(await focused(page), 'Cancel');
    await page.keyboard.press('Tab');
    t.equal(await focused(page), 'Drain');
    await page.keyboard.press('Escape');
    t.ok(await page.evaluate((selector) => document.activeElement?.matches(selector), button), 'and back');
    await page.keyboard.press('?');
    t.match(await page.textContent('dialog[open]'), 'Filter');
    await page.keyboard.press('Escape');
  });

  await t.test('dark, light, and as the system has it', async (t) => {
    const light = 'rgb(244, 246, 248)';
    const dark = 'rgb(14, 20, 26)';
    // What is emulated, and what a key changes, is painted a moment later.
    const becomes = async (colour: string, why: string): Promise<void> => {
      await page
        .waitForFunction((wanted) => getComputedStyle(document.body).backgroundColor === wanted, colour)
        .then(() => t.pass(why))
        .catch((error: Error) => t.fail(`${why}: ${error.message}`));
    };
    await page.emulateMedia({ colorScheme: 'light' });
    await becomes(light, 'the system is light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await becomes(dark, 'the system is dark');
    await page.keyboard.press('t');
    await becomes(light, 'light is chosen');
    await page.reload();
    await page.waitForSelector('article.server');
    await becomes(light, 'and remembered');
    await page.keyboard.press('t');
    await page.emulateMedia({ colorScheme: 'light' });
    await becomes(dark, 'dark is chosen');
    await page.keyboard.press('t');
    await becomes(light, 'as the system has it');
  });

  await t.test('on a phone nothing is wider than the page', async (t) => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const [view, something] of [
      ['overview', 'article.server'],
      ['statements', '.statement'],
      ['rules', 'tbody tr'],
      ['events', 'tbody tr'],
      ['sessions', '.empty, tbody tr'],
    ] as const) {
      await page.goto(`${url}/#/${view}`);
      await page.waitForSelector(`${something} >> visible=true`);
      t.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, view);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await t.test('logged out is logged out', async (t) => {
    const [cookie] = await context.cookies();
    await page.click('text=Log out');
    await page.waitForURL(`${url}/login`);
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
    t.equal((await fetch(`${url}/api/me`, { headers })).status, 401, 'the cookie opens nothing any more');
    await login(page, OPS.username, OPS.password);
    await page.waitForSelector('article.server');
  });

  await t.test('no primary is said, and so is no Sluice', async (t) => {
    await set.primary.kill();
    await page.waitForSelector('.banner:has-text("No primary")');
    await page.waitForSelector('article.server.missing, article.server.bad');
    t.match(await page.textContent('.top .badge'), 'not ready');
    await sluice.kill();
    await page.waitForSelector('.banner:has-text("Sluice does not answer")');
    t.ok(await page.isVisible('article.server'), 'what was known is still there');
    // Of requests that fail Chromium tells by itself.
    complaints.splice(0);
  });
}

interface Overview {
  readonly servers: readonly { readonly address: string; readonly role: string; readonly status: string }[];
}

function basic(): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${OPS.username}:${OPS.password}`).toString('base64')}` };
}

async function overview(sluice: SluiceProcess): Promise<Overview> {
  const response = await fetch(`http://${sluice.host}:${sluice.httpPort}/api/overview`, { headers: basic() });
  return (await response.json()) as Overview;
}

function queriesOf(sluice: SluiceProcess, server: string): Promise<number> {
  return sluice.metric('sluice_backend_queries_total', { server });
}

async function login(page: Page, username: string, password: string): Promise<void> {
  await page.fill('#username', username);
  await page.fill('#password', password);
  await page.keyboard.press('Enter');
  await page.waitForLoadState();
}

function focused(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => document.activeElement?.textContent);
}

async function connectionId(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
  return rows[0]?.id as number;
}

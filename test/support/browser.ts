/** Chromium for tests of the dashboard. Its processes end with ours. */

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type BrowserServer,
  chromium,
  type Page,
} from 'playwright-core';
import { findProgramIfAny } from './find-program.ts';
import { disownChild, ownChild } from './owned-resources.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

export interface OpenedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page has complained of: uncaught errors, refused scripts and styles, failed requests. */
  readonly complaints: string[];
}

export class TestBrowser {
  readonly #server: BrowserServer;
  readonly #browser: Browser;

  private constructor(server: BrowserServer, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
  }

  /** Null where no Chromium is installed. */
  static async start(): Promise<TestBrowser | null> {
    const executablePath = await findProgramIfAny(NAMES);
    if (executablePath === null) return null;
    const server = await chromium.launchServer({ executablePath, args: ['--disable-gpu'] });
    const pid = server.process().pid;
    if (pid !== undefined) ownChild(pid);
    return new TestBrowser(server, await chromium.connect(server.wsEndpoint()));
  }

  /** A browser of its own, without cookies. */
  async open(options: BrowserContextOptions = {}): Promise<OpenedPage> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    return { page, context, complaints };
  }

  async close(): Promise<void> {
    const { pid } = this.#server.process();
    await this.#browser.close();
    await this.#server.close();
    if (pid !== undefined) disownChild(pid);
  }
}

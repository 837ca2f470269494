/** A WordPress from Debian's package with a database of its own, behind PHP's built-in server. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { OwnedChild } from '../../support/child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { freePort } from '../../support/ports.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { AppTarget } from '../app-program.ts';

export const WORDPRESS = '/usr/share/wordpress';
export const THEME = 'twentytwentythree';
/** The same for every site, so that no page tells by which port it was reached. */
const HOST = 'wordpress.test';
const REQUEST_TIMEOUT_MS = 60_000;

export interface Page {
  readonly status: number;
  readonly location: string;
  readonly type: string;
  readonly body: string;
}

export interface PageRequest {
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly file?: Buffer;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class WordpressSite {
  readonly #port: number;
  readonly #directory: string;
  readonly #server: OwnedChild;
  readonly #sync: () => Promise<void>;
  readonly #cookies = new Map<string, string>();

  private constructor(port: number, directory: string, server: OwnedChild, sync: () => Promise<void>) {
    this.#port = port;
    this.#directory = directory;
    this.#server = server;
    this.#sync = sync;
  }

  /** The files are there and pages are served; WordPress is yet to be installed. */
  static async start(target: AppTarget): Promise<WordpressSite> {
    const directory = makeTemporaryDirectory('wordpress');
    writeSite(directory, target);
    const port = await freePort();
    const server = await OwnedChild.spawn({
      command: '/usr/bin/php',
      args: [
        ...['-d', `auto_prepend_file=${join(directory, 'prepend.php')}`, '-d', 'display_errors=stderr'],
        ...['-d', 'opcache.enable=1', '-d', 'memory_limit=256M', '-d', `sys_temp_dir=${directory}`],
        ...['-S', `127.0.0.1:${port}`, '-t', WORDPRESS],
      ],
      outputFile: join(directory, 'log'),
    });
    const site = new WordpressSite(port, directory, server, target.sync);
    await waitUntil(
      'PHP serves WordPress',
      async () => (await site.#send({ path: '/readme.html' })).status === 200,
    );
    return site;
  }

  /** Asks for a page when all replicas have what was written by the ones before: each page is a new connection. */
  async page(wanted: PageRequest): Promise<Page> {
    await this.#sync();
    return this.#send(wanted);
  }

  async stop(): Promise<void> {
    await this.#server.end('SIGTERM', 5000);
    removeTemporaryDirectory(this.#directory);
  }

  #send(wanted: PageRequest): Promise<Page> {
    const { path, method, headers } = wanted;
    const { type, body } = bodyOf(wanted);
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          path,
          method: method ?? (body.length === 0 ? 'GET' : 'POST'),
          timeout: REQUEST_TIMEOUT_MS,
          agent: false,
          headers: {
            host: HOST,
            cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
            ...(body.length === 0 ? {} : { 'content-type': type, 'content-length': body.length }),
            ...headers,
          },
        },
        (response) => this.#receive(response).then(resolve, reject),
      );
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`${path} took more than ${REQUEST_TIMEOUT_MS} ms`)));
      sent.end(body);
    });
  }

  async #receive(response: IncomingMessage): Promise<Page> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    for (const cookie of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
    }
    return {
      status: response.statusCode ?? 0,
      location: response.headers.location ?? '',
      type: response.headers['content-type'] ?? '',
      body: Buffer.concat(chunks).toString('utf8'),
    };
  }
}

function bodyOf({ form, json, file }: PageRequest): { type: string; body: Buffer } {
  if (file !== undefined) return { type: 'image/png', body: file };
  if (form !== undefined) {
    const body = Buffer.from(String(new URLSearchParams(form)));
    return { type: 'application/x-www-form-urlencoded', body };
  }
  return { type: 'application/json', body: Buffer.from(json === undefined ? '' : JSON.stringify(json)) };
}

function writeSite(directory: string, target: AppTarget): void {
  const root = join(directory, 'site');
  const themes = join(root, 'wp-content/themes');
  mkdirSync(themes, { recursive: true });
  for (const folder of ['mu-plugins', 'plugins', 'uploads']) mkdirSync(join(root, 'wp-content', folder));
  for (const name of ['wp-admin', 'wp-includes', 'wp-settings.php'])
    symlinkSync(join(WORDPRESS, name), join(root, name));
  symlinkSync(join(WORDPRESS, 'wp-content/themes', THEME), join(themes, THEME));
  const text = (value: string): string => `'${value.replaceAll(/['\\]/g, '\\$&')}'`;
  writeFileSync(join(directory, 'prepend.php'), `<?php define('ABSPATH', ${text(`${root}/`)});\n`);
  const constants = {
    DB_NAME: target.schema,
    DB_USER: target.username,
    DB_PASSWORD: target.password,
    DB_HOST: `${target.host}:${target.port}`,
    DB_CHARSET: 'utf8mb4',
    DB_COLLATE: '',
    WP_HOME: `http://${HOST}`,
    WP_SITEURL: `http://${HOST}`,
    WP_CONTENT_DIR: join(root, 'wp-content'),
    ...Object.fromEntries(
      ['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'].flatMap((name) => [
        [`${name}_KEY`, `key of ${name}`],
        [`${name}_SALT`, `salt of ${name}`],
      ]),
    ),
  };
  const lines = Object.entries(constants).map(([name, value]) => `define('${name}', ${text(value)});`);
  const flags = [
    'WP_HTTP_BLOCK_EXTERNAL',
    'DISABLE_WP_CRON',
    'AUTOMATIC_UPDATER_DISABLED',
    'CONCATENATE_SCRIPTS',
  ];
  lines.push(...flags.map((name) => `define('${name}', true);`), "$table_prefix = 'wp_';");
  writeFileSync(
    join(root, 'wp-config.php'),
    ['<?php', ...lines, "require_once ABSPATH . 'wp-settings.php';", ''].join('\n'),
  );
  // No mail leaves a test.
  writeFileSync(
    join(root, 'wp-content/mu-plugins/no-mail.php'),
    '<?php function wp_mail() { return true; }\n',
  );
}

/** Tells which server executed what, by the servers' own general query logs: the witness that routing tests trust. */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseServer } from './database-server.ts';

export interface LoggedCommand {
  readonly server: string;
  readonly threadId: number;
  /** As the server writes it: `Query`, `Connect`, `Init DB`, `Prepare`, `Execute`, `Quit` … */
  readonly command: string;
  readonly argument: string;
}

/** `date time` or nothing, thread id, command, tab, argument. MariaDB and MySQL differ in the time only. */
const ENTRY_START =
  /^(?:\d{6}\s+\d{1,2}:\d\d:\d\d\t|\d{4}-\d\d-\d\dT[0-9:.]+Z\t|\t\t)\s*(\d+) ([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)*)(?:\t|$)/;

export class GeneralLog {
  readonly #servers: readonly DatabaseServer[];
  readonly #startOffsets = new Map<DatabaseServer, number>();

  private constructor(servers: readonly DatabaseServer[]) {
    this.#servers = servers;
  }

  /** Switches the logs on; a server that is restarted must be told again with `enable`. */
  static async start(servers: readonly DatabaseServer[]): Promise<GeneralLog> {
    const log = new GeneralLog(servers);
    await Promise.all(servers.map((server) => log.enable(server)));
    await log.mark();
    return log;
  }

  async enable(server: DatabaseServer): Promise<void> {
    await server.query(
      `SET GLOBAL general_log_file='${logFile(server)}', GLOBAL log_output='FILE', GLOBAL general_log=ON`,
    );
  }

  /** Forgets what was logged before. */
  async mark(): Promise<void> {
    for (const server of this.#servers) {
      const size = await stat(logFile(server)).then(
        (stats) => stats.size,
        () => 0,
      );
      this.#startOffsets.set(server, size);
    }
  }

  /** Everything since the last `mark`, server by server. */
  async entries(): Promise<LoggedCommand[]> {
    const perServer = await Promise.all(this.#servers.map((server) => this.#entriesOf(server)));
    return perServer.flat();
  }

  /** The names of the servers, one per execution, that executed a statement whose text holds the marker. */
  async executedBy(marker: string): Promise<string[]> {
    const entries = await this.entries();
    return entries
      .filter(
        ({ command, argument }) =>
          (command === 'Query' || command === 'Execute') && argument.includes(marker),
      )
      .map(({ server }) => server);
  }

  async #entriesOf(server: DatabaseServer): Promise<LoggedCommand[]> {
    const bytes = await readFile(logFile(server)).catch(() => Buffer.alloc(0));
    return parseGeneralLog(server.name, bytes.subarray(this.#startOffsets.get(server) ?? 0).toString('utf8'));
  }
}

function logFile(server: DatabaseServer): string {
  return join(server.directory, 'general.log');
}

export function parseGeneralLog(server: string, text: string): LoggedCommand[] {
  const entries: LoggedCommand[] = [];
  for (const line of text.split('\n')) {
    const start = ENTRY_START.exec(line);
    if (start !== null) {
      const [whole, threadId, command] = start;
      entries.push({
        server,
        threadId: Number(threadId),
        command: command ?? '',
        argument: line.slice(whole.length),
      });
      continue;
    }
    const last = entries.pop();
    // A statement of several lines goes on; what stands before the first entry is the log's heading.
    if (last !== undefined) entries.push({ ...last, argument: `${last.argument}\n${line}` });
  }
  return entries.map((entry) => ({ ...entry, argument: entry.argument.trimEnd() }));
}

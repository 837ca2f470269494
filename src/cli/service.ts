/**
 * The life of the process: start, signals, stop.
 *
 * | signal           | effect                                                                             |
 * |------------------|------------------------------------------------------------------------------------|
 * | SIGTERM, SIGINT  | graceful stop; during the start, as soon as it has started                         |
 * | a second of them | exit at once, with 128 and the signal's number                                     |
 * | SIGUSR1          | open the log files again, after something has moved them away                      |
 * | SIGHUP           | read the configuration again; a bad one changes nothing                            |
 * | SIGUSR2          | start this program again, which takes over; this one ends its clients when idle    |
 */
import { constants } from 'node:os';
import { ConfigError } from '../../config/config-error.ts';
import { thisMachine } from '../../config/machine.ts';
import type { Config } from '../../config/schema.ts';
import { configWarnings } from '../../config/summary.ts';
import { collectAll } from '../common/heap-collection.ts';
import type { RootLogger } from '../common/logger.ts';
import { createLogger } from '../common/pino-logger.ts';
import { HandoverError } from '../control/handover/handover-error.ts';
import type { HandoverTaker } from '../control/handover/handover-taker.ts';
import { formatRowProblem, RowError } from '../control/runtime/row-error.ts';
import type { SluiceHandle } from '../control/sluice-handle.ts';
import type { startSluice } from '../control/start-sluice.ts';
import { holdWhileIdle } from './compiler-hold.ts';
import { ExitCode } from './exit-code.ts';
import { ServiceManager } from './service-manager.ts';
import { startRefusal } from './start-refusal.ts';
import type { StartValues } from './start-values.ts';

export interface ServiceOptions {
  readonly loaded: StartValues;
  /** The configuration as it is now. @throws ConfigError */
  readonly read: () => Promise<StartValues>;
  readonly version: string;
  readonly startSluice: typeof startSluice;
  /** Of the process that this one takes over from; null: of none. */
  readonly taker?: HandoverTaker | null;
}

type StopSignal = 'SIGTERM' | 'SIGINT';
/** Another process has taken over. */
const HANDED_OVER = 'handed over';

/** Beyond what clients get: for threads that hang, and files. */
const STOP_MARGIN_MS = 10_000;

/** By then what follows a start is done: the first checks of all servers, and what workers ask for. */
const SETTLED_MS = 5000;

class Service {
  readonly #options: ServiceOptions;
  readonly #logger: RootLogger;
  readonly #config: Config;
  #handle: SluiceHandle | null = null;
  #stopSignal: StopSignal | typeof HANDED_OVER | null = null;
  #reloading: Promise<void> = Promise.resolve();
  readonly #manager: ServiceManager;

  constructor(options: ServiceOptions, logger: RootLogger) {
    this.#options = options;
    this.#config = options.loaded.config;
    this.#logger = logger;
    this.#manager = new ServiceManager({
      env: process.env,
      isSuccessor: (options.taker ?? null) !== null,
      speaks: () => this.#handle?.isSuperseded !== true,
      warn: (message, fields) => logger.warn(message, fields),
      beats: () => this.#handle?.beats() ?? [],
    });
  }

  async start(): Promise<void> {
    this.#listenToSignals();
    const { loaded, version, startSluice, taker = null } = this.#options;
    this.#warn(loaded);
    for (const warning of loaded.checks ?? []) this.#logger.warn(warning);
    try {
      const { read } = this.#options;
      this.#handle = await startSluice(
        this.#config,
        this.#logger,
        version,
        async () => (await read()).config,
        taker,
        loaded.checks !== null,
      );
    } catch (error) {
      await taker?.failed((error as Error).message);
      this.#couldNotStart(error);
      return;
    }
    if (this.#stopSignal !== null) await this.#stop(this.#stopSignal);
    else {
      this.#logger.info('ready', { ...this.#handle.addresses, version, pid: process.pid, ...this.#size() });
      this.#manager.ready(`clients on ${this.#handle.addresses.listen}`);
      if (taker !== null) void this.#manager.told().then(() => taker.announced());
    }
    holdWhileIdle(() => this.#handle?.commands() ?? 0);
    setTimeout(collectAll, SETTLED_MS).unref();
    void this.#handle.finished.then(() => this.#finished());
  }

  /** What it was made to fit. */
  #size(): { readonly workers: number; readonly memoryLimitMib?: number } {
    const { memoryBytes, memoryIsLimited } = thisMachine();
    const { workers } = this.#config;
    return memoryIsLimited ? { workers, memoryLimitMib: Math.floor(memoryBytes / 1_048_576) } : { workers };
  }

  #couldNotStart(error: unknown): void {
    const refusal = startRefusal(error, this.#config);
    if (refusal === null) {
      this.#logger.fatal('could not start', { error });
      this.#exit(ExitCode.failed);
      return;
    }
    this.#logger.flush();
    // In the same form as what is wrong with the configuration itself.
    process.stderr.write(refusal.map((line) => `sluice: ${line}\n`).join(''));
    this.#exit(ExitCode.badConfiguration);
  }

  #listenToSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#onStopSignal(signal));
    process.on('SIGUSR1', () => this.#handle?.reopenLogs());
    process.on('SIGHUP', () => {
      // One after the other: the last one wins.
      this.#reloading = this.#reloading.then(() => this.#reload());
    });
    process.on('SIGUSR2', () => void this.#handOver('SIGUSR2'));
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) => {
        this.#logger.fatal('internal error', { event, error });
        this.#exit(1);
      });
    }
  }

  #onStopSignal(signal: StopSignal): void {
    if (this.#stopSignal !== null) {
      this.#logger.warn('second signal, exiting at once', { signal });
      this.#exit(128 + constants.signals[signal]);
      return;
    }
    this.#stopSignal = signal;
    if (this.#handle !== null) void this.#stop(signal);
  }

  async #handOver(by: string): Promise<void> {
    if (this.#handle === null || this.#stopSignal !== null) {
      this.#logger.warn('not restarted: Sluice starts or stops', { by });
      return;
    }
    try {
      const { pid, version } = await this.#handle.handOver(by);
      this.#logger.info('another process has taken over, this one ends when its clients have', {
        pid,
        version,
      });
    } catch (error) {
      if (!(error instanceof HandoverError)) throw error;
      this.#logger.error('not restarted, all is as before', { by, reason: error.message });
    }
  }

  #finished(): void {
    if (this.#stopSignal !== null) return;
    this.#stopSignal = HANDED_OVER;
    void this.#stop(HANDED_OVER);
  }

  async #stop(signal: StopSignal | typeof HANDED_OVER): Promise<void> {
    const { shutdownGraceMs: graceMs, shutdownDelayMs } = this.#config.limits;
    this.#logger.info('stopping', { signal, graceMs });
    this.#manager.stopping('stopping', graceMs + shutdownDelayMs + STOP_MARGIN_MS);
    try {
      await this.#handle?.stop(signal);
      this.#logger.info('stopped');
      this.#exit(0);
    } catch (error) {
      this.#logger.fatal('could not stop cleanly', { error });
      this.#exit(1);
    }
  }

  async #reload(): Promise<void> {
    if (this.#handle === null || this.#stopSignal !== null) {
      this.#logger.warn('the configuration is not read again while Sluice starts or stops');
      return;
    }
    // What it starts anew, such as heartbeats, is that process's by now.
    if (this.#handle.isSuperseded) {
      this.#logger.warn('the configuration is not read again: another process has taken over');
      return;
    }
    try {
      let { loaded } = this.#options;
      const { changed, needRestart } = await this.#handle.reload(async () => {
        loaded = await this.#options.read();
        return loaded.config;
      });
      this.#logger.info('configuration read again', { changed });
      if (needRestart.length > 0)
        this.#logger.warn('changed settings need a restart', { settings: needRestart });
      this.#warn(loaded);
    } catch (error) {
      const reason =
        error instanceof ConfigError
          ? { problems: error.message.split('\n') }
          : error instanceof RowError
            ? { problems: error.problems.map(formatRowProblem) }
            : { error };
      this.#logger.error('configuration not changed', reason);
    }
  }

  #warn({ config, warnings }: StartValues): void {
    for (const warning of [...warnings, ...configWarnings(config)]) this.#logger.warn(warning);
  }

  #exit(code: number): void {
    this.#logger.flush();
    process.exit(code);
  }
}

export async function runService(options: ServiceOptions): Promise<void> {
  const { level, pretty } = options.loaded.config.log;
  const logger = await createLogger({ level, pretty });
  // The old process writes to the same output.
  if (options.taker) logger.mark({ process: process.pid });
  await new Service(options, logger).start();
}

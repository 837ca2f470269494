/**
 * Traces: spans of statements, made of what workers report, sent by the OpenTelemetry SDK in batches. The SDK is loaded
 * when traces are switched on. Its queue is bounded here, so that what is lost is counted.
 *
 * Background work: the SDK's timer sends what has come every second; it ends with `stop`.
 */

import { setTimeout } from 'node:timers/promises';
import type { Tracer } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Config } from '../../../config/schema.ts';
import type { Logger } from '../../common/logger.ts';
import type { SpanRecord } from '../../common/worker-report.ts';
import type { SpanCounts } from '../metrics/counter-snapshot.ts';
import { spanOf } from './statement-span.ts';

type Settings = Config['tracing'];
type Api = typeof import('@opentelemetry/api');

const EXPORT_TIMEOUT_MS = 10_000;
const MAX_BATCH = 512;
const SEND_EVERY_MS = 1000;
/** What a receiver does not take by then is lost: nobody waits longer for a stop. */
const STOP_MS = 2000;
/** What could not be sent is told at most this often. */
const COMPLAIN_EVERY_MS = 60_000;

interface Running {
  readonly api: Api;
  readonly provider: TracerProvider;
  readonly tracer: Tracer;
}

export class Tracing {
  readonly #logger: Logger;
  readonly #version: string;
  #settings: Settings | null = null;
  #running: Running | null = null;
  /** One change after the other. */
  #changing: Promise<void> = Promise.resolve();
  /** Came while the SDK was being loaded. */
  #early: SpanRecord[] = [];
  /** Made, and not yet sent. */
  #unsent = 0;
  #lost = 0;
  readonly #counts = { sent: 0, lost: 0 };
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger, version: string) {
    this.#logger = logger;
    this.#version = version;
  }

  /** Since the start. */
  get counts(): SpanCounts {
    return { ...this.#counts };
  }

  apply(settings: Settings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings ?? { enabled: false })) return;
    const before = this.#settings;
    this.#settings = settings;
    if (before?.enabled !== true && !settings.enabled) return;
    this.#changing = this.#changing.then(() => this.#restart(settings));
  }

  add(records: readonly SpanRecord[]): void {
    if (this.#settings?.enabled !== true) return;
    const { queueLength } = this.#settings;
    for (const record of records) {
      if (this.#unsent + this.#early.length >= queueLength) this.#loses(1, 'too many are waiting');
      else if (this.#running === null) this.#early.push(record);
      else this.#send(this.#running, record);
    }
  }

  /** Sends what is waiting, or gives up after a while. */
  async stop(): Promise<void> {
    await this.#changing;
    await this.#shutDown();
  }

  async #restart(settings: Settings): Promise<void> {
    await this.#shutDown();
    // A later change decides.
    if (!settings.enabled || settings !== this.#settings) return;
    try {
      this.#running = await this.#start(settings);
    } catch (error) {
      this.#logger.error('traces cannot be sent', { error });
      return;
    }
    this.#logger.info('traces are sent', { endpoint: settings.endpoint, sampleEvery: settings.sampleEvery });
    const early = this.#early;
    this.#early = [];
    for (const record of early) this.#send(this.#running, record);
  }

  async #start({ endpoint, serviceName, queueLength }: Settings): Promise<Running> {
    const api = await import('@opentelemetry/api');
    const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace');
    const { resourceFromAttributes } = await import('@opentelemetry/resources');
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_TIMEOUT_MS });
    const processor = new BatchSpanProcessor({
      exporter: this.#counting(exporter),
      maxQueueSize: queueLength,
      maxExportBatchSize: Math.min(MAX_BATCH, queueLength),
      exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      scheduledDelayMillis: SEND_EVERY_MS,
    });
    const provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': this.#version,
        'service.instance.id': `${process.pid}`,
      }),
      spanProcessors: [processor],
    });
    return { api, provider, tracer: provider.getTracer('sluice', this.#version) };
  }

  #counting(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done) =>
        exporter.export(spans, (result) => {
          this.#unsent -= spans.length;
          if (result.code === 0) this.#counts.sent += spans.length;
          else this.#loses(spans.length, result.error?.message ?? 'the receiver refused them');
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    };
  }

  #send({ api, tracer }: Running, record: SpanRecord): void {
    this.#unsent++;
    spanOf(api, tracer, record);
  }

  #loses(count: number, reason: string): void {
    this.#lost += count;
    this.#counts.lost += count;
    const now = performance.now();
    if (now - this.#complainedAt < COMPLAIN_EVERY_MS) return;
    this.#complainedAt = now;
    this.#logger.warn('spans are lost', { lost: this.#lost, reason });
    this.#lost = 0;
  }

  async #shutDown(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    this.#unsent = 0;
    if (running === null) return;
    const ended = running.provider
      .shutdown()
      .catch((error: unknown) => this.#logger.warn('traces could not be ended', { error }));
    await Promise.race([ended, setTimeout(STOP_MS, undefined, { ref: false })]);
  }
}

/** The settings of everything that Sluice writes down: log, slow-query log, audit log, traces. */
import * as z from 'zod';
import { describe, integer, milliseconds, optionalText, section } from './schema-parts.ts';

const MAX_QUEUE = 1_000_000;

function logFile(what: string) {
  return optionalText({
    description: `File that ${what} are appended to, one JSON line each. SIGUSR1 and \`PROXYSQL FLUSH LOGS\` open it again, for what rotates it.`,
    defaultText: 'the log',
  });
}

export const logSection = section('What Sluice says on standard output.', {
  level: describe(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'), {
    description:
      'Least important level that is logged. `SET LOG LEVEL` on the admin port changes it as well.',
  }),
  pretty: describe(z.boolean().nullable().default(null), {
    description: 'Lines for people instead of JSON.',
    reloadable: false,
    defaultText: 'on a terminal',
  }),
});

export const slowQueryLogSection = section(
  'Slow statements, each with its digest, where it went and why, and what it waited for.',
  {
    enabled: describe(z.boolean().default(false), {
      description:
        'Log statements that take at least `thresholdMs`. Statements of a query rule with `log` are logged anyway, those of one that switches `log` off never.',
    }),
    thresholdMs: milliseconds(
      0,
      1000,
      'From the arrival of the statement to the end of its answer; 0 logs all.',
    ),
    sampleEvery: integer(1, 1_000_000, 1, {
      description: 'Of the slow statements of a worker, one of so many is logged.',
      unit: 'statements',
    }),
    literals: describe(z.boolean().default(false), {
      description:
        'Log the text of the statement too, with its literals: data, and passwords of `SET PASSWORD` and the like.',
    }),
    maxTextBytes: integer(64, 65_536, 4096, {
      description: 'A longer digest, or text, is cut.',
      unit: 'bytes',
    }),
    queueLength: integer(1, MAX_QUEUE, 1000, {
      description: 'Most lines of a worker that wait to be written; more are dropped and counted.',
      unit: 'lines',
    }),
    file: logFile('slow statements'),
  },
);

export const auditLogSection = section('Who logs in, and what operators do. Passwords are masked.', {
  commands: describe(z.enum(['none', 'changes', 'all']).default('changes'), {
    description: 'Commands on the admin port and the http port: those that change something, or all.',
  }),
  logins: describe(z.enum(['none', 'refused', 'all']).default('all'), {
    description: 'Logins of operators, and their ends; or the refused ones only.',
  }),
  clients: describe(z.boolean().default(false), {
    description: 'Logins, changes of user and ends of clients as well.',
  }),
  queueLength: integer(1, MAX_QUEUE, 1000, {
    description: "Most entries of a worker's clients that wait to be written; more are dropped and counted.",
    unit: 'entries',
  }),
  file: logFile('entries'),
});

export const tracingSection = section('OpenTelemetry traces of statements, sent by OTLP over HTTP.', {
  enabled: describe(z.boolean().default(false), {
    description: "Send traces; a `traceparent` in a statement's comment is continued.",
  }),
  endpoint: describe(
    z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .default('http://127.0.0.1:4318/v1/traces'),
    {
      description:
        'Where to. Headers, such as those of a login, are taken from `OTEL_EXPORTER_OTLP_HEADERS`.',
    },
  ),
  serviceName: describe(z.string().min(1).max(255).default('sluice'), {
    description: '`service.name` of the resource.',
  }),
  sampleEvery: integer(0, 1_000_000_000, 100, {
    description:
      'Of the statements without a `traceparent`, one of so many is traced; 0: none. With one its `sampled` flag decides.',
    unit: 'statements',
  }),
  queueLength: integer(1, MAX_QUEUE, 2048, {
    description: 'Most spans of a worker that wait to be sent; more are dropped and counted.',
    unit: 'spans',
  }),
});

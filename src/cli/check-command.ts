/** `sluice check`: what is to know of a Sluice that runs, for health checks, keepalived and Nagios. */
import { type CheckArguments, parseCheckArguments } from './check/check-arguments.ts';
import { CheckError, CheckExit } from './check/check-exit.ts';
import { type HttpPlace, httpPlace } from './check/http-place.ts';
import type { ProbeKind } from './check/probe.ts';
import type { Subcommand } from './subcommand.ts';

const PROBE_TIMEOUT_MS = 2000;

const USAGE = `Usage: sluice check [--warn LIST] [--crit LIST] [--ignore LIST] [--json] …
       sluice check --ready|--alive …

Asks a Sluice that runs, on its http port, which is found like that Sluice finds it: by the flags below, SLUICE_HTTP_…
variables and the configuration file.

Without --ready and --alive it is a plugin for Nagios, Icinga and the like: one line with performance data, and exit code
0 (OK), 1 (WARNING), 2 (CRITICAL: also if there is no answer) or 3 (UNKNOWN: it cannot be told).

  -w, --warn LIST     limits from which on it warns, and what it warns of: lag=10s,pool=70%,cache
      --crit LIST     the same for CRITICAL: lag=2m,clients=90%,can-fail-over
      --ignore LIST   what not to look at
      --json          one JSON object instead of the line

Limits are written as Nagios does: 10 (at most), 10: (at least), 10:20 (between), @10:20 (not between); of failover and
certificate a single number is the least. Units: ms, s, m, h, d, %.

  lag             of the replica that is furthest behind (warn 30s, crit 300s)
  pool            connections in use, of the most that a server may have (warn 80%, crit 95%)
  clients         client connections, of limits.maxConnections (warn 80%, crit 95%)
  pins, pinned    sessions that are pinned to a connection: how many, and of all sessions (no limits)
  replicas-down   servers that cannot serve reads, and were not taken out by an operator (warn 0)
  failover        minutes since the last failover, at least (warn 15m)
  certificate     days until the first certificate ends, at least (warn 21d, crit 2d)
  doubts          writes whose connection was lost and that may still run (warn 0)
  held            statements that wait for a primary (no limits)
  files           file descriptors in use, of those allowed (warn 80%, crit 95%)
  ready, primary, readers, workers            well or not (crit)
  replication, cache, can-fail-over           well or not (warn)

Where /metrics wants a login, on this machine the account is taken from the configuration. Else:

      --user NAME     an account of admin.users (stats; also: SLUICE_CHECK_USER)
      --password-file FILE
                      a file with its password (also: SLUICE_CHECK_PASSWORD_FILE, SLUICE_CHECK_PASSWORD)
      --ca FILE       whom to trust instead of the system's authorities
      --insecure      send the password without TLS, or to somebody whose certificate is not verified

Health checks:

      --ready         whether it should get clients (/readyz): exits with 0 if so, with 1 if not or if there is no
                      answer, with 3 if it cannot be told where to ask
      --alive         whether it lives (/healthz), likewise

Both:

  -t, --timeout SECONDS
                      how long to wait for the answer (10; health checks: 2)
  -c, --config FILE   the configuration file of that Sluice (also: SLUICE_CONFIG)
      --http.host, --http.port, --http.tls
                      as for that Sluice
      --url URL       http://host:port or https://host:port, instead of all these
`;

export const checkCommand: Subcommand = {
  usage: USAGE,
  async run(args) {
    try {
      const parsed = parseCheckArguments(args);
      const place = await placeOf(parsed);
      if (parsed.probe !== null) return await probeCommand(parsed.probe, parsed, place);
      const { wholeCheck } = await import('./check/whole-check.ts');
      return await wholeCheck(parsed, place);
    } catch (error) {
      if (!(error instanceof CheckError)) throw error;
      // Nagios shows what is on stdout.
      process.stdout.write(`SLUICE UNKNOWN: ${error.message}\n`);
      return CheckExit.unknown;
    }
  },
};

/** 0 or 1: Docker knows no other codes for health checks. */
async function probeCommand(kind: ProbeKind, args: CheckArguments, place: HttpPlace): Promise<number> {
  const { probe } = await import('./check/probe.ts');
  const { passed, text } = await probe(kind, place, args.timeoutMs ?? PROBE_TIMEOUT_MS);
  process.stdout.write(`${text}\n`);
  return passed ? CheckExit.ok : CheckExit.warning;
}

async function placeOf({ url, configFile, settings }: CheckArguments): Promise<HttpPlace> {
  if (url === null) return httpPlace({ configFile, flags: settings, env: process.env });
  const { placeOfUrl } = await import('./check/url-place.ts');
  return placeOfUrl(url);
}

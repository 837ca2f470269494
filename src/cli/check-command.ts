/** `sluice check`: what is to know of a Sluice that runs, for health checks, keepalived and Nagios. */
import { type CheckArguments, parseCheckArguments } from './check/check-arguments.ts';
import { CheckError, CheckExit } from './check/check-exit.ts';
import { type HttpPlace, httpPlace } from './check/http-place.ts';
import type { ProbeKind } from './check/probe.ts';
import type { Subcommand } from './subcommand.ts';

const PROBE_TIMEOUT_MS = 2000;

const USAGE = `Usage: sluice check --ready|--alive [--config FILE] [--timeout SECONDS]

Asks a Sluice that runs, on its http port, which is found like that Sluice finds it: by the flags below, SLUICE_HTTP_…
variables and the configuration file.

  --ready             whether it should get clients (/readyz): exits with 0 if so, with 1 if not or if there is no
                      answer, with 3 if it cannot be told where to ask
  --alive             whether it lives (/healthz), likewise
  -t, --timeout SECONDS
                      how long to wait for the answer (2)
  -c, --config FILE   the configuration file of that Sluice (also: SLUICE_CONFIG)
  --http.host, --http.port, --http.tls
                      as for that Sluice
  --url URL           http://host:port or https://host:port, instead of all these
`;

export const checkCommand: Subcommand = {
  usage: USAGE,
  async run(args) {
    try {
      const parsed = parseCheckArguments(args);
      if (parsed.probe === null) throw new CheckError('--ready or --alive is missing, see --help');
      return await probeCommand(parsed.probe, parsed);
    } catch (error) {
      if (!(error instanceof CheckError)) throw error;
      process.stderr.write(`sluice check: ${error.message}\n`);
      return CheckExit.unknown;
    }
  },
};

/** 0 or 1: Docker knows no other codes for health checks. */
async function probeCommand(kind: ProbeKind, args: CheckArguments): Promise<number> {
  const place = await placeOf(args);
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

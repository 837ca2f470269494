/** `sluice check` as a plugin of Nagios: asks for the metrics, compares them with limits, and says what is wrong. */
import { readFileSync } from 'node:fs';
import { isLoopback } from '../../../config/default-password.ts';
import type { CheckArguments } from './check-arguments.ts';
import { CheckError, CheckExit } from './check-exit.ts';
import { type Credentials, configuredCredentials, givenCredentials } from './credentials.ts';
import { type HttpResponse, httpGet, type TlsOptions } from './http-get.ts';
import type { HttpPlace } from './http-place.ts';
import { MetricsPage } from './metrics-page.ts';
import { formatJson, formatLine, makeReport } from './report.ts';
import { readWishes } from './wishes.ts';

const TIMEOUT_MS = 10_000;

/** Prints one line. @returns the exit code. @throws CheckError */
export async function wholeCheck(args: CheckArguments, place: HttpPlace): Promise<number> {
  const wishes = readWishes(args);
  let page: MetricsPage;
  try {
    page = await askForMetrics(args, place);
  } catch (error) {
    if (error instanceof CheckError) throw error;
    // Nothing is worse than no answer.
    const text = `${addressOf(place)}: ${(error as Error).message}`;
    const json = {
      status: 'critical',
      exitCode: CheckExit.critical,
      problems: [unreachable(text)],
      numbers: [],
    };
    process.stdout.write(args.json ? `${JSON.stringify(json)}\n` : `SLUICE CRITICAL: ${text}\n`);
    return CheckExit.critical;
  }
  const report = makeReport(page, wishes, Date.now() / 1000);
  process.stdout.write(`${args.json ? formatJson(report) : formatLine(report)}\n`);
  return report.exit;
}

function unreachable(text: string) {
  return { criterion: 'reachable', severity: 'crit', text } as const;
}

async function askForMetrics(args: CheckArguments, place: HttpPlace): Promise<MetricsPage> {
  const given = givenCredentials({ ...args, env: process.env });
  let response = await get(args, place, given);
  if (response.status === 401 && given === null && args.url === null)
    response = await get(args, place, await configuredCredentials(place, process.env));
  if (response.status === 401)
    throw new CheckError(
      given === null ? '/metrics wants a login: see --user' : 'user name or password is wrong',
    );
  if (response.status !== 200)
    throw new CheckError(`/metrics at ${addressOf(place)} answers with HTTP status ${response.status}`);
  const page = new MetricsPage(response.body);
  if (!page.isSluices) throw new CheckError(`what is at ${addressOf(place)} is no Sluice`);
  return page;
}

function get(args: CheckArguments, place: HttpPlace, credentials: Credentials | null): Promise<HttpResponse> {
  const { host, port, isTls } = place;
  const isHere = isLoopback(host);
  if (credentials !== null && !isTls && !isHere && !args.insecure)
    throw new CheckError(
      'the password would be sent without TLS: use https, http.metricsAddress, or --insecure',
    );
  const headers: Record<string, string> = {};
  if (credentials !== null) {
    const { username, password } = credentials;
    headers.Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  const timeoutMs = args.timeoutMs ?? TIMEOUT_MS;
  return httpGet({
    host,
    port,
    tls: isTls ? tlsOf(args, isHere) : null,
    path: '/metrics',
    headers,
    timeoutMs,
  });
}

/** On this machine the certificate is one for other names. */
function tlsOf({ ca, insecure }: CheckArguments, isHere: boolean): TlsOptions {
  if (ca === null) return { verify: !isHere && !insecure, ca: null };
  try {
    return { verify: !insecure, ca: readFileSync(ca, 'utf8') };
  } catch (error) {
    throw new CheckError(
      `${ca} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    );
  }
}

function addressOf({ host, port }: HttpPlace): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

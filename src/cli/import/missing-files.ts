/** Settings that name files of ProxySQL's machine: those that are not here are left out, so that the rest can be used. */
import { withSetting } from '../../../config/reload.ts';
import type { Config, ServerConfig } from '../../../config/schema.ts';
import { checkLogFile, LogFileError } from '../../control/logs/line-file.ts';
import { readPem, TlsMaterialError } from '../../control/tls-material.ts';
import type { ImportReport } from './import-report.ts';

const LATER = 'left out; set it when the file is there';

/** Why it cannot be used, or null. */
function pemProblem(setting: string, value: string | null): string | null {
  try {
    readPem(setting, value);
    return null;
  } catch (error) {
    if (!(error instanceof TlsMaterialError)) throw error;
    return error.message;
  }
}

interface PemFiles {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

/** A certificate goes with its key. */
function usablePem(section: string, { ca, certificate, key }: PemFiles, report: ImportReport): PemFiles {
  const caProblem = pemProblem(`${section}.ca`, ca);
  const pairProblem = pemProblem(`${section}.certificate`, certificate) ?? pemProblem(`${section}.key`, key);
  for (const problem of [caProblem, pairProblem])
    if (problem !== null) report.attention(section, `${LATER}: ${problem}`);
  return {
    ca: caProblem === null ? ca : null,
    certificate: pairProblem === null ? certificate : null,
    key: pairProblem === null ? key : null,
  };
}

function usableServer(server: ServerConfig, report: ImportReport): ServerConfig {
  const { host, port, tlsCa: ca, tlsCertificate: certificate, tlsKey: key } = server;
  if (ca === null && certificate === null && key === null) return server;
  const usable = usablePem(`TLS of server ${host}:${port}`, { ca, certificate, key }, report);
  return { ...server, tlsCa: usable.ca, tlsCertificate: usable.certificate, tlsKey: usable.key };
}

export function withoutMissingFiles(config: Config, report: ImportReport): Config {
  const tls = { ...config.tls, ...usablePem('tls', config.tls, report) };
  const backendTls = { ...config.backendTls, ...usablePem('backendTls', config.backendTls, report) };
  const servers = config.servers.map((server) => usableServer(server, report));
  let result: Config = { ...config, tls, backendTls, servers };
  for (const section of ['slowQueryLog', 'auditLog'] as const) {
    try {
      checkLogFile(`${section}.file`, config[section].file);
    } catch (error) {
      if (!(error instanceof LogFileError)) throw error;
      report.attention(`${section}.file`, `${LATER}: ${error.message}`);
      result = withSetting(result, `${section}.file`, null);
    }
  }
  return result;
}

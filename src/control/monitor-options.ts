/** What the configuration says to the monitor. */

import { defaultPair } from '../../config/hostgroup-pairs.ts';
import type { Config } from '../../config/schema.ts';
import type { Logger } from '../common/logger.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import type { MonitorCredentials } from './monitor/monitor-connection.ts';
import type { MonitorLogger, MonitorOptions } from './monitor/monitor-interface.ts';

type WatchSettings = Pick<MonitorOptions, 'credentials' | 'hostgroups' | 'settings'>;

export function watchSettings(config: Config, certificates: CertificateKeeper): WatchSettings {
  const { username: _, password: __, ...settings } = config.monitor;
  return {
    credentials: monitorCredentials(config, certificates),
    hostgroups: defaultPair(config),
    settings,
  };
}

export function monitorCredentials({ monitor }: Config, certificates: CertificateKeeper): MonitorCredentials {
  return {
    username: monitor.username ?? '',
    password: monitor.password ?? '',
    resolveTls: (host, tls) => certificates.material.forServer(host, tls),
  };
}

/** Sluice's logger, with its arguments in the order that the monitor has them. */
export function monitorLogger(logger: Logger): MonitorLogger {
  return {
    debug: (fields, message) => logger.debug(message, { ...fields }),
    info: (fields, message) => logger.info(message, { ...fields }),
    warn: (fields, message) => logger.warn(message, { ...fields }),
    error: (fields, message) => logger.error(message, { ...fields }),
  };
}

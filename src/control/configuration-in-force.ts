/** The configuration that everything goes by, and how another one comes into force: all of it, or nothing. */

import type { Config } from '../../config/schema.ts';
import type { LogThreshold, RootLogger } from '../common/logger.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import { configuredServers } from './configured-servers.ts';
import type { OperatorLogs } from './logs/operator-logs.ts';
import type { Monitor } from './monitor/monitor.ts';
import { watchSettings } from './monitor-options.ts';
import type { OperatorPorts } from './operator-ports.ts';
import type { AppliedConfig } from './runtime/runtime-host.ts';
import { TlsMaterial } from './tls-material.ts';
import type { AccountKeeper } from './users/account-keeper.ts';
import type { WriteRoom } from './write-room.ts';

/** Those who have to be told. */
export interface ConfigurationParts {
  readonly logger: RootLogger;
  readonly logs: OperatorLogs;
  readonly certificates: CertificateKeeper;
  readonly ports: OperatorPorts;
  readonly monitor: Monitor;
  readonly writes: WriteRoom;
  readonly accounts: AccountKeeper;
  /** Makes a snapshot of what is in force now, for nobody yet. @throws where there cannot be one */
  rebuild(): void;
  /** Workers get it. @returns its version */
  send(): number;
  publish(): void;
}

export class ConfigurationInForce {
  #config: Config;
  #isApplying = false;

  constructor(config: Config) {
    this.#config = config;
  }

  get config(): Config {
    return this.#config;
  }

  /** Another one comes into force: what is published meanwhile would be half of each. */
  get isApplying(): boolean {
    return this.#isApplying;
  }

  /** @throws with the old one still in force */
  async apply(wanted: Config, parts: ConfigurationParts): Promise<AppliedConfig> {
    const { certificates, logger, rebuild, send, publish } = parts;
    // With the schema of the settings, which Sluice does without until something changes.
    const { planReload } = await import('../../config/reload.ts');
    const { config, changed, needRestart } = planReload(this.#config, wanted);
    // What cannot be read must not leave half of a configuration in force.
    const logs = parts.logs.prepare(config);
    const before = { config: this.#config, tls: certificates.material };
    this.#isApplying = true;
    try {
      await this.#use(config, TlsMaterial.read(config), parts);
      rebuild();
    } catch (error) {
      logs.abandon();
      await this.#use(before.config, before.tls, parts);
      this.#isApplying = false;
      publish();
      throw error;
    }
    this.#isApplying = false;
    logs.commit();
    const snapshotVersion = send();
    logger.info('configuration changed', { changed });
    return { snapshotVersion, changed, needRestart };
  }

  /** Until the configuration is read again. */
  setLogLevel(level: LogThreshold): void {
    this.#config = Object.freeze({ ...this.#config, log: Object.freeze({ ...this.#config.log, level }) });
  }

  async #use(config: Config, tls: TlsMaterial, parts: ConfigurationParts): Promise<void> {
    const { certificates, ports, monitor, writes, accounts } = parts;
    this.#config = config;
    certificates.use(config, tls);
    ports.update(config, tls);
    await monitor.reconfigure(watchSettings(config, certificates));
    writes.restart();
    await monitor.updateServers(configuredServers(config));
    await accounts.reconfigure(config);
  }
}

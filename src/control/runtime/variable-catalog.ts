/** Every variable of `global_variables`: what it shows of a configuration, and what a new value makes of it. */

import { nearestName } from '../../../config/nearest-name.ts';
import { withSetting } from '../../../config/reload.ts';
import type { Config } from '../../../config/schema.ts';
import { formatAddress } from '../../../config/server-address.ts';
import { collectSettings, configJsonSchema, type Setting, SettingKind } from '../../../config/settings.ts';
import { AdminModule } from '../../common/admin-tables/admin-table.ts';
import { readCredentials, writeCredentials } from './admin-credentials.ts';
import { ValueError } from './column-mapping.ts';
import { OTHER_VARIABLES } from './proxysql-other-variables.ts';
import { HIDDEN_SETTINGS, MAPPED_VARIABLES, VariableForm } from './proxysql-variables.ts';
import { readSetting, settingValue, writeSetting } from './setting-text.ts';

export interface Variable {
  readonly name: string;
  readonly module: AdminModule;
  /** Path of the setting that it is; null where it is none, or several. */
  readonly setting: string | null;
  /** Not to be shown to those who may only see numbers. */
  readonly secret: boolean;
  read(config: Config): string;
  /** `ignored`: why a value that differs has no effect. @throws ValueError */
  write(config: Config, text: string): Config | { readonly ignored: string };
}

/** What tools may expect is what ProxySQL of this version has. */
export const COMPATIBLE_VERSION = '2.7.1';

const PREFIXES: Readonly<Record<string, AdminModule>> = {
  mysql: AdminModule.variables,
  admin: AdminModule.adminVariables,
  sluice: AdminModule.sluiceVariables,
};

function moduleOf(name: string): AdminModule {
  return PREFIXES[name.slice(0, name.indexOf('-'))] ?? AdminModule.sluiceVariables;
}

function ofSetting(name: string, setting: Setting, form: VariableForm = VariableForm.plain): Variable {
  return {
    name,
    module: moduleOf(name),
    setting: setting.path,
    secret: setting.secret,
    read: (config) => writeForm(form, settingValue(config, setting.path)),
    write: (config, text) => withSetting(config, setting.path, readSetting(setting, readForm(form, text))),
  };
}

const MEBIBYTE = 1_048_576;

function writeForm(form: VariableForm, value: unknown): string {
  if (form === VariableForm.mebibytes) return String(Math.max(1, Math.round(Number(value) / MEBIBYTE)));
  return form === VariableForm.digit ? String(Number(value)) : writeSetting(value);
}

function readForm(form: VariableForm, text: string): string {
  if (form !== VariableForm.mebibytes) return text;
  if (/^\d{1,7}$/.test(text.trim())) return String(Number(text) * MEBIBYTE);
  throw new ValueError(`expected a whole number of MB, found ${JSON.stringify(text.slice(0, 60))}`);
}

function fixed(name: string, read: (config: Config) => string, why: string): Variable {
  const write = () => ({ ignored: why });
  const secret = /password|credentials/.test(name);
  return { name, module: moduleOf(name), setting: null, secret, read, write };
}

function credentials(name: string, role: 'admin' | 'stats'): Variable {
  return {
    name,
    module: moduleOf(name),
    setting: null,
    secret: true,
    read: ({ admin }) => writeCredentials(admin.users, role),
    write: (config, text) =>
      withSetting(config, 'admin.users', readCredentials(config.admin.users, role, text)),
  };
}

const WHERE = 'the addresses to listen on are said in the file, and need a restart';

function ownVariables(version: string): Variable[] {
  return [
    credentials('admin-admin_credentials', 'admin'),
    credentials('admin-stats_credentials', 'stats'),
    fixed('admin-version', () => `${COMPATIBLE_VERSION}-sluice-${version}`, 'it is the version of Sluice'),
    fixed('admin-mysql_ifaces', ({ admin }) => formatAddress(admin.host, admin.port), WHERE),
    fixed('mysql-interfaces', ({ listen }) => interfaces(listen), WHERE),
    fixed(
      'mysql-have_ssl',
      ({ tls }) => String(tls.certificate !== null),
      'TLS is offered where tls.certificate is set',
    ),
    fixed('mysql-server_version', () => '', "clients are told the primary's version"),
  ];
}

function interfaces({ host, port, socket, addresses }: Config['listen']): string {
  return [formatAddress(host, port), ...(socket === null ? [] : [socket]), ...addresses].join(';');
}

/** `pool.minIdle` is `sluice-pool_min_idle`. */
function ownName(path: string): string {
  const snake = path.replaceAll('.', '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return `sluice-${snake.toLowerCase()}`;
}

export class VariableCatalog {
  readonly #byName: ReadonlyMap<string, Variable>;
  /** Names of settings that are to be found under another name. */
  readonly #renamed = new Map<string, string>();

  /** @param version of Sluice */
  constructor(version: string) {
    const settings = new Map(collectSettings(configJsonSchema()).map((setting) => [setting.path, setting]));
    const mapped = MAPPED_VARIABLES.map(({ name, setting, form }) => {
      const found = settings.get(setting);
      if (found === undefined) throw new TypeError(`There is no setting ${setting}`);
      settings.delete(setting);
      this.#renamed.set(ownName(setting), name);
      return ofSetting(name, found, form);
    });
    const others = [...OTHER_VARIABLES].map(([name, value]) =>
      fixed(name, () => value, 'Sluice has nothing that it could change'),
    );
    const own = [...settings.values()]
      .filter(({ kind, path }) => kind !== SettingKind.list && !HIDDEN_SETTINGS.has(path))
      .map((setting) => ofSetting(ownName(setting.path), setting));
    const all = [...mapped, ...ownVariables(version), ...others, ...own];
    this.#byName = new Map(
      all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((each) => [each.name, each]),
    );
  }

  /** In the order of their names. */
  get all(): Iterable<Variable> {
    return this.#byName.values();
  }

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  find(name: string): Variable | null {
    return this.#byName.get(name) ?? null;
  }

  /** The variable that a setting, or a list of operators, is shown by. */
  ofSetting(path: string): Variable | null {
    const wanted = path.startsWith('admin.users') ? 'admin-admin_credentials' : null;
    if (wanted !== null) return this.find(wanted);
    for (const variable of this.#byName.values()) if (variable.setting === path) return variable;
    return null;
  }

  /** What is said of a name that is none. */
  unknown(name: string): string {
    const nearest = this.renamed(name) ?? nearestName(name, this.#byName.keys());
    return `unknown variable${nearest === null ? '' : `, did you mean ${nearest}?`}`;
  }

  /** The name of what was meant; null where nothing is alike by rule. */
  renamed(name: string): string | null {
    return this.#renamed.get(name) ?? null;
  }
}

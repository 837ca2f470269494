/** Whatever is wrong with a configuration, no message repeats a password. */
import t from 'tap';
import { ConfigError } from '../../../config/config-error.ts';
import { loadConfig } from '../../../config/load.ts';
import { configWarnings, summariseConfig } from '../../../config/summary.ts';

const SECRET = 'hunter2';

const BROKEN_FILES = [
  `monitor: { username: m, password: ${SECRET}`,
  `monitor:\n  username: m\n  password ${SECRET}`,
  `monitor: { username: m, password ${SECRET} }`,
  `monitor: { password: [${SECRET}] }`,
  `monitor: { password: { ${SECRET}: 1 } }`,
  `monitor: { passwort: ${SECRET} }`,
  `monitor: { password: *${SECRET} }`,
  `monitor: { password: &${SECRET} }`,
  `monitor: { password: !${SECRET} x }`,
  `monitor: { password: @${SECRET} }`,
  `monitor: { password: "${SECRET} }`,
  `monitor: { password: "\\q${SECRET}" }`,
  `monitor: { password: %${SECRET} }`,
  `monitor: ${SECRET}`,
  `users: ${SECRET}`,
  `users: [${SECRET}]`,
  `users: [[app, ${SECRET}]]`,
  `users: { source: ${SECRET} }`,
  `users: [{ username: app, password: ${SECRET} }, { username: app, password: ${SECRET} }]`,
  `users: [{ username: app, password: ${SECRET}, maxConnections: x }]`,
  `admin: { host: 0.0.0.0, users: [{ username: ${'x'}, password: admin }, { username: y, password: ${SECRET}, z: 1 }] }`,
  `servers: ["app:${SECRET}@db1:3306", "mysql://app:${SECRET}@db1/"]`,
  `servers: [{ host: "app:${SECRET}@db1" }]`,
];

function problemsOf(text: string, env: NodeJS.ProcessEnv, flags: Record<string, string>): string {
  try {
    loadConfig({ file: 'f.yaml', text, env, flags });
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.stack}\n${JSON.stringify(error.problems)}`;
  }
}

for (const text of BROKEN_FILES) {
  t.test(text.replaceAll(SECRET, '…'), async (t) => {
    const problems = problemsOf(text, {}, {});
    t.not(problems, '', 'refused');
    t.notOk(problems.includes(SECRET), 'the password is not repeated');
  });
}

t.test('environment and flags', async (t) => {
  const cases: readonly [NodeJS.ProcessEnv, Record<string, string>][] = [
    [{ SLUICE_MONITOR_PASSWORT: SECRET }, {}],
    [{ SLUICE_USERS: `[{"username":"a","password":"${SECRET}"` }, {}],
    [{ SLUICE_USERS: `{"username":"a","password":"${SECRET}"}` }, {}],
    [{ SLUICE_USERS: `a:${SECRET},a:${SECRET}` }, {}],
    [{ SLUICE_USERS: `:${SECRET}` }, {}],
    [{ SLUICE_SERVERS: `a:${SECRET}@b` }, {}],
    [{}, { 'monitor.pasword': SECRET }],
    [{}, { users: `[${SECRET}]` }],
  ];
  for (const [env, flags] of cases) {
    const problems = problemsOf('servers: [a]\nmonitor: { username: m }\n', env, flags);
    t.not(problems, '', 'refused');
    t.notOk(problems.includes(SECRET), JSON.stringify(Object.keys({ ...env, ...flags })));
  }
});

t.test('summary and warnings', async (t) => {
  const config = loadConfig({
    text: `servers: [a]\nmonitor: { username: m, password: ${SECRET} }\nusers: [{ username: app, password: ${SECRET} }]\nadmin: { users: [{ username: ops, password: ${SECRET} }] }`,
    env: {},
    flags: {},
  });
  t.notOk(`${summariseConfig(config)}${configWarnings(config).join()}`.includes(SECRET));
  t.match(summariseConfig(config), /users +app/);
});

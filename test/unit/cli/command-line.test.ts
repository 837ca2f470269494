import t from 'tap';
import { collectSettings, configJsonSchema } from '../../../config/settings.ts';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { helpText } from '../../../src/cli/help-text.ts';

const SETTINGS = collectSettings(configJsonSchema());

function parse(line: string) {
  return parseCommandLine(line === '' ? [] : line.split(' '), SETTINGS);
}

t.test('good lines', async (t) => {
  t.match(parse(''), { action: 'run', configFile: null, flags: {}, problems: [] });
  t.match(parse('--config a.yaml'), { action: 'run', configFile: 'a.yaml', problems: [] });
  t.match(parse('-c a.yaml --check-config'), { action: 'checkConfig', configFile: 'a.yaml', problems: [] });
  t.match(parse('--config=a.yaml -v'), { action: 'version', configFile: 'a.yaml', problems: [] });
  t.match(parse('--version --help'), { action: 'help', problems: [] });
  t.strictSame(parse('--listen.port 1 --servers=a,b --log.pretty true --monitor.password=-x').flags, {
    'listen.port': '1',
    servers: 'a,b',
    'log.pretty': 'true',
    'monitor.password': '-x',
  });
  t.strictSame(parse('--pool.minIdle -5'), {
    action: 'run',
    configFile: null,
    flags: { 'pool.minIdle': '-5' },
    operands: [],
    problems: [],
  });
});

t.test('sluice config …', async (t) => {
  t.match(parse('config print'), { action: 'printConfig', operands: [], problems: [] });
  t.match(parse('config check -c a.yaml'), { action: 'checkConfig', configFile: 'a.yaml', problems: [] });
  t.match(parse('--config a.yaml config diff'), { action: 'diffConfig', configFile: 'a.yaml', operands: [] });
  t.match(parse('config diff a.yaml --listen.port 1 b.yaml'), {
    action: 'diffConfig',
    operands: ['a.yaml', 'b.yaml'],
    flags: { 'listen.port': '1' },
    problems: [],
  });
  t.match(parse('config --help'), { action: 'help' });
});

t.test('bad lines', async (t) => {
  const cases: readonly [string, readonly string[]][] = [
    ['--chek-config', ['unknown flag --chek-config, did you mean --check-config?']],
    ['--listen.prot 6033', ['unknown flag --listen.prot, did you mean --listen.port?']],
    ['--monitor.pasword=hunter2', ['unknown flag --monitor.pasword, did you mean --monitor.password?']],
    ['-x', ['unknown flag -x']],
    ['a.yaml', ['unexpected argument number 1, settings are given as --name value']],
    ['--listen.port 1 hunter2', ['unexpected argument number 3, settings are given as --name value']],
    ['--config', ['--config needs a value']],
    ['--log.pretty', ['--log.pretty needs a value']],
    ['--config=', ['--config needs a value']],
    [
      '--listen.host --listen.port 1',
      [
        '--listen.host needs a value; write --listen.host=VALUE if it begins with a dash',
        'unexpected argument number 3, settings are given as --name value',
      ],
    ],
    ['--listen.port 1 --listen.port 2', ['--listen.port is given twice']],
    ['config', ['config needs one of print, diff, check']],
    ['config pirnt', ['config needs one of print, diff, check, did you mean config print?']],
    ['config print a.yaml', ['config print takes no operands']],
    ['config diff a b c', ['config diff takes at most 2 files']],
    ['--version=3', ['--version takes no value']],
    ['--__proto__ 1', ['unknown flag --__proto__']],
  ];
  for (const [line, problems] of cases) t.strictSame(parse(line).problems, problems, line);
});

t.test('help names every setting and both kinds of flags', async (t) => {
  const help = helpText(SETTINGS);
  for (const { path } of SETTINGS) t.ok(help.includes(`  --${path} `), path);
  for (const flag of ['--config', '--check-config', '--version', '--help']) t.ok(help.includes(flag), flag);
  t.notMatch(help, /undefined|null/);
});

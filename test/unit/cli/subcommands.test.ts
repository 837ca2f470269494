import t from 'tap';
import type { Subcommand, SubcommandEntry } from '../../../src/cli/subcommand.ts';
import { readSubcommandOptions } from '../../../src/cli/subcommand-options.ts';
import { runSubcommand, SUBCOMMANDS } from '../../../src/cli/subcommands.ts';

const KNOWN = {
  output: { type: 'string', short: 'o' },
  quiet: { type: 'boolean', short: 'q' },
} as const;

/** A subcommand that notes with what it was run. */
function noting(name: string, run: Subcommand['run']) {
  const seen: string[][] = [];
  const entry: SubcommandEntry = {
    name,
    summary: '',
    load: async () => ({
      usage: `Usage: sluice ${name}\n`,
      run: (args) => {
        seen.push([...args]);
        return run(args);
      },
    }),
  };
  return { entry, seen };
}

/** Runs with an exit code of its own, so that the test's stays. */
async function exitCodeOf(work: () => Promise<unknown>): Promise<unknown> {
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await work();
    return process.exitCode;
  } finally {
    process.exitCode = before;
  }
}

t.test('the first argument decides', async (t) => {
  const a = noting('a', async () => 3);
  const b = noting('b', async () => 0);
  const table = [a.entry, b.entry];
  t.equal(await exitCodeOf(async () => t.ok(await runSubcommand(['a', '--x', 'b'], table))), 3);
  t.strictSame([a.seen, b.seen], [[['--x', 'b']], []]);
  for (const args of [[], ['--config', 'a'], ['config', 'a'], ['A'], ['constructor']])
    t.equal(await runSubcommand(args, table), false, args.join(' '));
  t.equal(a.seen.length, 1);
});

t.test('a subcommand that throws has failed', async (t) => {
  const broken = noting('a', async () => {
    throw new Error('broken');
  });
  const code = exitCodeOf(() => t.rejects(runSubcommand(['a'], [broken.entry]), { message: 'broken' }));
  t.equal(await code, 1);
});

t.test('--help prints the usage and runs nothing', async (t) => {
  const a = noting('a', async () => 3);
  const written = t.capture(process.stdout, 'write', () => true);
  const code = await exitCodeOf(async () => {
    await runSubcommand(['a', '--help'], [a.entry]);
    await runSubcommand(['a', 'x', '-h'], [a.entry]);
    await runSubcommand(['a', '--', '--help'], [a.entry]);
  });
  const texts = written().map(({ args }) => args[0]);
  t.strictSame(texts, ['Usage: sluice a\n', 'Usage: sluice a\n']);
  t.strictSame(a.seen, [['--', '--help']]);
  t.equal(code, 3);
});

t.test('every subcommand of the table', async (t) => {
  for (const { name, load } of SUBCOMMANDS) {
    const { usage } = await load();
    t.ok(usage.startsWith(`Usage: sluice ${name}`) && usage.endsWith('\n'), name);
  }
  const names = SUBCOMMANDS.map(({ name }) => name);
  t.strictSame([...new Set(names)], names);
});

t.test('flags and operands', async (t) => {
  const read = (line: string) => readSubcommandOptions(line === '' ? [] : line.split(' '), KNOWN);
  t.match(read(''), { values: {}, operands: [], problems: [] });
  t.strictSame(read('a -o f b -q'), {
    values: { output: 'f' },
    switches: new Set(['quiet']),
    operands: ['a', 'b'],
    problems: [],
  });
  t.match(read('--output=-x -- --quiet'), { values: { output: '-x' }, operands: ['--quiet'], problems: [] });
  t.match(read('-o -'), { values: { output: '-' }, problems: [] });
});

t.test('bad flags', async (t) => {
  const cases: readonly [string, string][] = [
    ['--ouput hunter2', 'unknown flag --ouput, did you mean --output?'],
    ['--ouput=hunter2', 'unknown flag --ouput, did you mean --output?'],
    ['-x', 'unknown flag -x'],
    ['--__proto__', 'unknown flag --__proto__'],
    ['--output', '--output needs a value'],
    ['--output=', '--output needs a value'],
    ['-o --quiet', '-o needs a value; write --output=VALUE if it begins with a dash'],
    ['--quiet=yes', '--quiet takes no value'],
    ['-q -q', '-q is given twice'],
    ['-o a --output b', '--output is given twice'],
  ];
  for (const [line, problem] of cases) {
    const { problems, operands } = readSubcommandOptions(line.split(' '), KNOWN);
    t.strictSame(problems, [problem], line);
    t.strictSame(operands, [], line);
  }
});

import t from 'tap';
import { createWorkerLogger, type LogRecord } from '../../../src/common/logger.ts';
import { createLogger, type LogOutput } from '../../../src/common/pino-logger.ts';

function capture(): { output: LogOutput; lines: string[] } {
  const lines: string[] = [];
  return { output: { write: (line) => lines.push(line), flushSync: () => undefined }, lines };
}

t.test('one line of JSON with level, time, message and fields', async (t) => {
  const { output, lines } = capture();
  const logger = await createLogger({ level: 'info', pretty: false, output });
  logger.child({ address: 'db1:3306' }).warn('server shunned', { failures: 3 });
  t.equal(lines.length, 1);
  const record = JSON.parse(lines[0]!);
  t.match(record.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.match(record, { level: 'warn', msg: 'server shunned', address: 'db1:3306', failures: 3 });
});

t.test('what is below the threshold is not written, and the threshold can be moved', async (t) => {
  const { output, lines } = capture();
  const logger = await createLogger({ level: 'warn', pretty: false, output });
  const child = logger.child({ part: 'pool' });
  child.info('no');
  t.equal(child.isEnabled('info'), false);
  logger.setLevel('trace');
  child.trace('yes');
  logger.setLevel('silent');
  child.fatal('no');
  t.strictSame(
    lines.map((line) => JSON.parse(line).msg),
    ['yes'],
  );
});

t.test('secrets are taken out wherever they stand', async (t) => {
  const { output, lines } = capture();
  const logger = await createLogger({ level: 'info', pretty: false, output });
  const SECRET = 'hunter2';
  logger.child({ monitorPassword: SECRET }).info('login', {
    user: 'app',
    password: SECRET,
    usingPassword: 'YES',
    list: [{ Passwd: SECRET }],
    error: Object.assign(new Error('refused'), { authResponse: SECRET, code: 'PROXY_ACCESS_DENIED' }),
    bytes: Buffer.from(SECRET),
    map: new Map([['key', { secret: SECRET }]]),
  });
  t.notOk(lines[0]!.includes(SECRET));
  t.match(JSON.parse(lines[0]!), {
    user: 'app',
    password: '[redacted]',
    usingPassword: 'YES',
    error: { type: 'Error', message: 'refused', code: 'PROXY_ACCESS_DENIED', authResponse: '[redacted]' },
    bytes: '<7 bytes>',
  });
});

t.test('whatever the fields hold, one bounded line comes out', async (t) => {
  const { output, lines } = capture();
  const logger = await createLogger({ level: 'info', pretty: false, output });
  const loop: Record<string, unknown> = {
    big: 5n,
    when: new Date(NaN),
    fn: () => 1,
    level: 'mine',
    msg: 'mine',
  };
  loop.self = loop;
  loop.cause = new Error('outer', { cause: new Error('inner') });
  logger.info('first\nsecond', { ...loop, text: 'x'.repeat(100_000), list: Array(10_000).fill('y') });
  t.equal(lines.length, 1);
  t.equal(lines[0]!.trimEnd().split('\n').length, 1, 'a newline in a value makes no second line');
  t.ok(lines[0]!.length < 20_000, `${lines[0]!.length} characters`);
  const record = JSON.parse(lines[0]!);
  t.equal(record.level, 'info');
  t.equal(record.msg, 'first\nsecond');
  t.equal(record.big, '5');
  t.equal(record.cause.cause.message, 'inner');
});

t.test('a worker posts plain records, which the main thread writes', async (t) => {
  const posted: LogRecord[] = [];
  const worker = createWorkerLogger('info', (record) => posted.push(structuredClone(record)));
  worker.debug('no');
  worker.child({ worker: 1 }).error('backend lost', { error: new TypeError('bad'), password: 'x' });
  t.match(posted, [
    { level: 'error', message: 'backend lost', fields: { worker: 1, password: '[redacted]' } },
  ]);
  const { output, lines } = capture();
  (await createLogger({ level: 'info', pretty: false, output })).writeRecord(posted[0]!);
  t.match(JSON.parse(lines[0]!), { level: 'error', msg: 'backend lost', error: { type: 'TypeError' } });
});

t.test('lines for people', async (t) => {
  const { output, lines } = capture();
  (await createLogger({ level: 'info', pretty: true, output })).info('ready', { listen: '0.0.0.0:6033' });
  t.match(lines.join(''), /INFO.*: ready\n\s+listen: "0\.0\.0\.0:6033"/);
});

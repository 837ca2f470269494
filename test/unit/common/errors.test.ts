import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  clientError,
  ERROR_CODES,
  errorDefinition,
  ProxyError,
  proxyError,
} from '../../../src/common/errors.ts';
import { renderErrors } from '../../../src/common/generate-errors.ts';

const DOCUMENT = readFileSync(new URL('../../../src/common/ERRORS.md', import.meta.url), 'utf8');

t.test('every code has a number, an SQLSTATE and three sentences', async (t) => {
  for (const code of ERROR_CODES) {
    const { errno, sqlState, message, meaning, action } = errorDefinition(code);
    t.match(code, /^PROXY_[A-Z_]+$/, code);
    t.ok(Number.isInteger(errno) && errno >= 1000 && errno <= 0xffff, `${code} fits in two bytes`);
    t.match(sqlState, /^[0-9A-Z]{5}$/, `${code} has an SQLSTATE of five characters`);
    t.ok(message.length > 0 && meaning.length > 0 && action.length > 0, `${code} is explained`);
  }
});

t.test("codes of Sluice's own are from 9001 up with HY000, and no number stands for two codes", async (t) => {
  const numbers = ERROR_CODES.map((code) => errorDefinition(code).errno);
  // Servers say 1130 of a host that nobody may come from, and of one that may not speak for others; ProxySQL says 1148
  // by a query rule, and by its firewall.
  const twice = numbers.filter((errno, index) => numbers.indexOf(errno) !== index);
  t.strictSame(twice, [1130, 1148]);
  const own = ERROR_CODES.filter((code) => errorDefinition(code).errno >= 9000);
  // A number that was given up is not given to another error.
  const ownNumbers = own.map((code) => errorDefinition(code).errno);
  t.ok(Math.min(...ownNumbers) >= 9001);
  t.strictSame(ownNumbers, ownNumbers.toSorted());
  for (const code of own) t.equal(errorDefinition(code).sqlState, 'HY000', code);
  t.equal(
    numbers.filter((errno) => errno > 4999 && errno < 9001).length,
    0,
    'nothing between the servers and us',
  );
});

t.test('no message has a place for a password or for SQL', async (t) => {
  for (const code of ERROR_CODES) {
    t.notMatch(errorDefinition(code).message, /\{(password|secret|scramble|sql|query)\}/i, code);
  }
  const fields = { user: 'app', host: '10.0.0.1', usingPassword: 'YES' };
  t.equal(
    clientError('PROXY_ACCESS_DENIED', fields).message,
    "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
  );
});

t.test('ERRORS.md lists every code, and nothing else', async (t) => {
  const listed = [...DOCUMENT.matchAll(/`(PROXY_[A-Z_]+)`/g)].map((match) => match[1]);
  t.strictSame(listed.toSorted(), ERROR_CODES.toSorted());
  for (const code of ERROR_CODES) {
    const { errno, sqlState } = errorDefinition(code);
    t.ok(
      DOCUMENT.includes(`| ${errno} | ${sqlState} | \`${code}\` |`),
      `${code} with its number and SQLSTATE`,
    );
  }
  t.equal(DOCUMENT, renderErrors(), 'ERRORS.md is fresh (npm run generate)');
});

t.test("MySQL's own codes carry MySQL's number, SQLSTATE and sentence", async (t) => {
  t.strictSame(clientError('PROXY_TOO_MANY_CONNECTIONS', {}), {
    errno: 1040,
    sqlState: '08004',
    message: 'Too many connections',
  });
  t.strictSame(clientError('PROXY_KILL_DENIED', { connectionId: 7 }), {
    errno: 1095,
    sqlState: 'HY000',
    message: 'You are not owner of thread 7',
  });
  t.strictSame(clientError('PROXY_SHUTDOWN', {}), {
    errno: 1053,
    sqlState: '08S01',
    message: 'Server shutdown in progress',
  });
});

t.test('an error names server, limit and value, and keeps its cause', async (t) => {
  const cause = new Error('connect ECONNREFUSED');
  const error = proxyError('PROXY_POOL_TIMEOUT', { address: 'db1:3306', waitMs: 10_000, limit: 100 }, cause);
  t.ok(error instanceof ProxyError && error instanceof Error);
  t.equal(error.code, 'PROXY_POOL_TIMEOUT');
  t.equal(error.cause, cause);
  t.equal(error.retryable, true);
  t.strictSame(error.toClientError(), {
    errno: 9002,
    sqlState: 'HY000',
    message: 'No connection to db1:3306 became free within 10000 ms (limit of 100 connections)',
  });
});

t.test('what may have been executed is never called retryable', async (t) => {
  for (const code of ['PROXY_OUTCOME_UNKNOWN', 'PROXY_BACKEND_LOST', 'PROXY_SESSION_LOST'] as const) {
    t.equal(errorDefinition(code).retryable, false, code);
  }
});

t.test('a value with braces or a dollar is filled in as it stands, once', async (t) => {
  const connectionId = '{connectionId}$&';
  t.equal(
    clientError('PROXY_KILL_DENIED', { connectionId }).message,
    'You are not owner of thread {connectionId}$&',
  );
});

t.test('a message is cut at 512 bytes, between two characters', async (t) => {
  const { message } = clientError('PROXY_INTERNAL', { reason: 'ü'.repeat(400) });
  const bytes = Buffer.byteLength(message);
  t.ok(bytes <= 512 && bytes >= 511, `${bytes} bytes`);
  t.notMatch(message, /\ufffd/);
});

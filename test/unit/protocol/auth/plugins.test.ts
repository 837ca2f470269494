/** Hashes and proofs against values that servers and other programs made. */

import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import t from 'tap';
import {
  decryptPassword,
  encryptPassword,
  isSha2Hash,
  sha2HashOf,
  sha2Scramble,
  sha2Stage2Of,
  verifySha2,
  verifySha2Hash,
} from '../../../../protocol/auth/caching-sha2-password.ts';
import {
  clearPasswordsEqual,
  decodeClearPassword,
  encodeClearPassword,
} from '../../../../protocol/auth/clear-password.ts';
import { ed25519PublicKey, ed25519Signature } from '../../../../protocol/auth/client-ed25519.ts';
import {
  isNativeHash,
  nativeHashOf,
  nativeScramble,
  parseNativeHash,
  sha1,
  verifyNative,
} from '../../../../protocol/auth/mysql-native-password.ts';
import { createNonce } from '../../../../protocol/auth/nonce.ts';
import { sha256Crypt } from '../../../../protocol/auth/sha256-crypt.ts';

const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRST');
const PASSWORDS = ['p', 'secret', 'pässwörd', 'x'.repeat(200)];

t.test('mysql_native_password', async (t) => {
  t.equal(nativeHashOf('password'), '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', "a server's PASSWORD()");
  for (const password of PASSWORDS) {
    const proof = nativeScramble(password, nonce);
    t.equal(proof.length, 20);
    t.strictSame(nativeScramble(sha1(password), nonce), proof, 'SHA1(password) makes the same proof');
    const verdict = verifyNative(nonce, proof, nativeHashOf(password));
    t.strictSame(verdict, { ok: true, sha1Stage1: sha1(password) });
    t.ok(verifyNative(nonce, proof, nativeHashOf(password).toLowerCase()).ok);
    const refused = { ok: false, sha1Stage1: null };
    t.strictSame(verifyNative(nonce, proof, nativeHashOf('other')), refused);
    t.strictSame(verifyNative(Buffer.from('BBCDEFGHIJKLMNOPQRST'), proof, nativeHashOf(password)), refused);
    t.strictSame(verifyNative(nonce, proof.subarray(1), nativeHashOf(password)), refused);
    t.strictSame(verifyNative(nonce, Buffer.alloc(0), nativeHashOf(password)), refused);
    t.strictSame(verifyNative(nonce, proof, ''), refused, 'a password where the account has none');
  }
  t.equal(nativeScramble('', nonce).length, 0);
  t.strictSame(verifyNative(nonce, Buffer.alloc(0), ''), { ok: true, sha1Stage1: null });
  t.ok(isNativeHash('*2470c0c06dee42fd1618bb99005adca2ec9d1e19'));
  for (const wrong of [
    '',
    '*',
    '2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19',
    `*${'G'.repeat(40)}`,
    `*${'A'.repeat(41)}`,
  ]) {
    t.notOk(isNativeHash(wrong));
    t.throws(() => parseNativeHash(wrong), RangeError);
  }
  t.throws(() => nativeScramble(Buffer.alloc(19), nonce), RangeError);
});

t.test('SHA-crypt, as openssl passwd -5 makes it', async (t) => {
  const crypt = (password: string, salt: string): string =>
    sha256Crypt(Buffer.from(password), Buffer.from(salt), 5000);
  t.equal(crypt('Hello world!', 'saltstring'), '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5');
  t.equal(
    crypt('a much longer password than thirty-two bytes, to wrap the digest', '0123456789abcdef'),
    'LVgzKlLV/dg2YP/T.6F1YTOW7Zc52LeE0QFQUtr7.I2',
  );
  t.equal(crypt('', 'saltstring').length, 43);
});

t.test('caching_sha2_password, fast', async (t) => {
  for (const password of PASSWORDS) {
    const proof = sha2Scramble(password, nonce);
    t.equal(proof.length, 32);
    const verdict = verifySha2(nonce, proof, sha2Stage2Of(password));
    t.ok(verdict.ok);
    t.strictSame(sha2Scramble(verdict.sha256Stage1!, nonce), proof, 'SHA256(password) makes the same proof');
    const refused = { ok: false, sha256Stage1: null };
    t.strictSame(verifySha2(nonce, proof, sha2Stage2Of('other')), refused);
    t.strictSame(verifySha2(nonce, proof.subarray(1), sha2Stage2Of(password)), refused);
  }
  t.equal(sha2Scramble('', nonce).length, 0);
});

t.test('caching_sha2_password, stored hashes', async (t) => {
  const stored = sha2HashOf('secret', nonce);
  t.equal(stored.length, 70);
  t.ok(stored.startsWith('$A$005$ABCDEFGHIJKLMNOPQRST'));
  t.ok(isSha2Hash(stored));
  t.ok(verifySha2Hash('secret', stored));
  t.notOk(verifySha2Hash('Secret', stored));
  t.notOk(verifySha2Hash('', stored));
  for (const wrong of [
    '',
    stored.slice(1),
    stored.slice(0, -1),
    `${stored}x`,
    stored.replace('$A$', '$B$'),
  ]) {
    t.notOk(isSha2Hash(wrong));
    t.throws(() => verifySha2Hash('secret', wrong), RangeError);
  }
  t.throws(() => sha2HashOf('secret', Buffer.alloc(19)), RangeError);
});

t.test('caching_sha2_password, full by RSA', async (t) => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  for (const password of PASSWORDS) {
    const encrypted = encryptPassword(password, nonce, pem);
    t.equal(decryptPassword(encrypted, nonce, keys.privateKey), password);
    t.not(decryptPassword(encrypted, createNonce(), keys.privateKey), password, 'under another nonce');
  }
  t.equal(decryptPassword(Buffer.alloc(256, 1), nonce, keys.privateKey), null);
  t.equal(decryptPassword(Buffer.alloc(3), nonce, keys.privateKey), null);
  t.throws(() => encryptPassword('p', nonce, 'no key'));
});

t.test('mysql_clear_password', async (t) => {
  t.strictSame(encodeClearPassword('pä'), Buffer.from('70c3a400', 'hex'));
  t.equal(decodeClearPassword(Buffer.from('70c3a400ff', 'hex')), 'pä');
  t.equal(decodeClearPassword(Buffer.from('70c3a4', 'hex')), 'pä', 'without its NUL');
  t.ok(clearPasswordsEqual('a', 'a'));
  t.notOk(clearPasswordsEqual('a', 'ab'));
});

t.test('client_ed25519', async (t) => {
  // Stored by MariaDB 10.11 for IDENTIFIED VIA ed25519 USING PASSWORD('secret').
  t.equal(ed25519PublicKey('secret').toString('base64'), 'ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY=');
  for (const password of PASSWORDS) {
    const challenge = Buffer.concat([nonce, Buffer.alloc(12, 7)]);
    const signature = ed25519Signature(password, challenge);
    t.equal(signature.length, 64);
    const prefix = Buffer.from('302a300506032b6570032100', 'hex');
    const der = Buffer.concat([prefix, ed25519PublicKey(password)]);
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    t.ok(verify(null, challenge, key, signature), 'node:crypto accepts the signature');
    t.notOk(verify(null, Buffer.alloc(32), key, signature));
  }
});

t.test('nonces', async (t) => {
  const seen = new Set<string>();
  for (let round = 0; round < 200; round += 1) {
    const made = createNonce();
    t.equal(made.length, 20);
    t.notOk(made.some((byte) => byte === 0 || byte === 0x24 || byte > 0x7f));
    seen.add(made.toString('hex'));
  }
  t.equal(seen.size, 200);
});

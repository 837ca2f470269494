/**
 * MariaDB's client_ed25519: an Ed25519 signature (RFC 8032) of the server's 32-byte challenge. The secret key is the
 * password itself, of any length, where RFC 8032 wants 32 random bytes; node:crypto does not sign with such keys, so
 * the arithmetic is here. It runs when a backend connection is made, and takes some milliseconds.
 * https://mariadb.com/kb/en/authentication-plugin-ed25519/
 *
 * Not in constant time: it is for the side that holds the password in plain text, towards its own server.
 */

import { createPublicKey, hash, randomBytes, verify } from 'node:crypto';

export const CLIENT_ED25519 = 'client_ed25519';

const CHALLENGE_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** 43 characters of base64, of 32 bytes. */
const HASH_PATTERN = /^[0-9A-Za-z+/]{42}[048AEIMQUYcgkosw]$/;
/** In front of the 32 bytes in the X.509 form of an Ed25519 key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));

/** Extended coordinates: x = X/Z, y = Y/Z, x·y = T/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202n;
const BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960n;
const BASE: Point = { x: BASE_X, y: BASE_Y, z: 1n, t: mod(BASE_X * BASE_Y) };

/** The proof that answers `challenge`: 64 bytes. */
export function ed25519Signature(password: string, challenge: Uint8Array): Buffer {
  const { scalar, prefix, publicKey } = keyOf(password);
  const r = littleEndian(sha512(prefix, challenge)) % L;
  const encodedR = encodePoint(multiply(BASE, r));
  const k = littleEndian(sha512(encodedR, publicKey, challenge)) % L;
  return Buffer.concat([encodedR, encodeNumber((r + k * scalar) % L)]);
}

/** The 32 bytes that the server stores (in base64, without padding) for a password. */
export function ed25519PublicKey(password: string): Buffer {
  return keyOf(password).publicKey;
}

/** A challenge of 32 random bytes, which unlike the one of the greeting may hold any. */
export function createEd25519Challenge(): Buffer {
  return randomBytes(CHALLENGE_BYTES);
}

/** Whether a stored credential is the base64 of a public key, as MariaDB keeps it. */
export function isEd25519Hash(stored: string): boolean {
  return HASH_PATTERN.test(stored);
}

/** The signature itself is RFC 8032's, so that node:crypto can check it. */
export function verifyEd25519(challenge: Uint8Array, signature: Uint8Array, stored: string): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(stored, 'base64')]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(null, challenge, key, signature);
}

function keyOf(password: string): { scalar: bigint; prefix: Buffer; publicKey: Buffer } {
  const expanded = sha512(Buffer.from(password));
  const secret = Buffer.from(expanded.subarray(0, 32));
  secret[0]! &= 0xf8;
  secret[31] = (secret[31]! & 0x7f) | 0x40;
  const scalar = littleEndian(secret);
  return { scalar, prefix: expanded.subarray(32), publicKey: encodePoint(multiply(BASE, scalar)) };
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha512', Buffer.concat(parts), 'buffer');
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function inverse(value: bigint): bigint {
  let result = 1n;
  let base = mod(value);
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

function add(left: Point, right: Point): Point {
  const a = mod((left.y - left.x) * (right.y - right.x));
  const b = mod((left.y + left.x) * (right.y + right.x));
  const c = mod(2n * left.t * right.t * D);
  const d = mod(2n * left.z * right.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function multiply(point: Point, scalar: bigint): Point {
  let result = IDENTITY;
  let addend = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, addend);
    addend = add(addend, addend);
  }
  return result;
}

function encodePoint(point: Point): Buffer {
  const zInverse = inverse(point.z);
  const encoded = encodeNumber(mod(point.y * zInverse));
  if (mod(point.x * zInverse) & 1n) encoded[31]! |= 0x80;
  return encoded;
}

function encodeNumber(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

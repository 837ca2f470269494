import { timingSafeEqual } from 'node:crypto';

/** Both of one length. */
export function xorBytes(left: Uint8Array, right: Uint8Array): Buffer {
  const mixed = Buffer.allocUnsafe(left.length);
  for (let index = 0; index < left.length; index += 1) mixed[index] = left[index]! ^ right[index]!;
  return mixed;
}

/** Repeats `key` over `bytes`. */
export function xorWithKey(bytes: Uint8Array, key: Uint8Array): Buffer {
  const mixed = Buffer.allocUnsafe(bytes.length);
  for (let index = 0; index < bytes.length; index += 1)
    mixed[index] = bytes[index]! ^ key[index % key.length]!;
  return mixed;
}

/** Takes a time that depends on the lengths only; unequal lengths are unequal. */
export function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

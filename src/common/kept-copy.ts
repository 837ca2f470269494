/**
 * A copy of bytes that will be kept for long, in memory of its own. `Buffer.from` takes small ones out of a pool of 64 KiB
 * (Node 24), which lives as long as anything in it: a few bytes that stay would keep all of it.
 */
export function keptCopy(bytes: Uint8Array, start = 0, end = bytes.length): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

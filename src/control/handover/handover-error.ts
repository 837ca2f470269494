/** Why the sockets were not handed over; all is as before. */
export class HandoverError extends Error {
  override readonly name = 'HandoverError';
}

/**
 * What the process before this one has said while this one was being loaded. Node forgets it when the other one ends before
 * anybody listens: so this is loaded before everything else.
 */

const messages: unknown[] = [];
const keep = (message: unknown): void => {
  messages.push(message);
};

process.on('message', keep);
// Nobody is waited for.
process.channel?.unref();

/** Those that have come by now; from now on somebody else listens. */
export function takeFirstMessages(): readonly unknown[] {
  process.off('message', keep);
  return messages.splice(0);
}

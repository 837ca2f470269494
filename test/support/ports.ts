import { createServer, type Server } from 'node:net';

/**
 * Ports are taken from below the range that Linux uses for outgoing connections (32768 and up): a server that is
 * stopped and started again must find its port free, while thousands of connections come and go.
 *
 * Between the choice of a port and the start of what listens on it, and while a server is stopped, nothing shows that
 * the port has an owner. So each process takes whole blocks of ports, and listens on the first port of each as long as
 * it lives: test files that run side by side never choose the same port.
 */
const FIRST_PORT = 12_000;
const PORTS_PER_BLOCK = 100;
const BLOCKS = 200;
const ATTEMPTS = 1000;
const HOST = '127.0.0.1';

interface PortBlock {
  readonly end: number;
  next: number;
}

let currentBlock: Promise<PortBlock> | null = null;

/** A TCP port that nobody listens on at 127.0.0.1, never the same twice, nor one of another process that runs. */
export async function freePort(): Promise<number> {
  for (;;) {
    currentBlock ??= claimBlock();
    const promised = currentBlock;
    const block = await promised;
    if (block.next === block.end) {
      if (currentBlock === promised) currentBlock = null;
      continue;
    }
    const port = block.next++;
    if (await isPortFree(port)) return port;
  }
}

export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

export async function isPortFree(port: number, host = HOST): Promise<boolean> {
  const server = await listenOn(port, host);
  if (server === null) return false;
  return new Promise((resolve) => server.close(() => resolve(true)));
}

async function claimBlock(): Promise<PortBlock> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = FIRST_PORT + PORTS_PER_BLOCK * Math.floor(Math.random() * BLOCKS);
    const claim = await listenOn(first, HOST);
    if (claim === null) continue;
    claim.unref();
    return { next: first + 1, end: first + PORTS_PER_BLOCK };
  }
  throw new Error(
    `no block of ports is left between ${FIRST_PORT} and ${FIRST_PORT + BLOCKS * PORTS_PER_BLOCK}`,
  );
}

function listenOn(port: number, host: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

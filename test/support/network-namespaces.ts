/**
 * A small network on this machine: each server, Sluice and the test itself are hosts of their own, and what lies between
 * two of them can be cut. Needs root; nothing outside of its own namespaces changes, but for one virtual interface by
 * which the test reaches the others. What a test leaves behind that was killed goes with the next one that makes some.
 *
 * A cut is silent, as that of a cable: no packet arrives, and nobody is told. It is made by sending what goes to the
 * other host to a hardware address that nobody has, so that no packet filter is needed.
 */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** Where packets go to that are to be lost. */
const NOBODY = '02:00:00:00:00:fe';
/** With the process that made it: `sluice-PID-ID-NAME`. */
const NAMESPACE = /^sluice-(\d+)-[0-9a-f]{6}-/;
/** The last number of an address that is no host's own. */
const SPARE = 250;

export interface NetworkHost {
  readonly name: string;
  readonly address: string;
  /** Put in front of a command that is to run there. */
  readonly runBy: readonly string[];
}

export class NetworkNamespaces {
  readonly #id = randomBytes(3).toString('hex');
  readonly #subnet = `10.${200 + Math.floor(Math.random() * 50)}.${Math.floor(Math.random() * 250)}`;
  readonly #hosts = new Map<string, NetworkHost>();
  readonly #namespaces: string[] = [];
  readonly #disposeAtExit = (): void => this.dispose();

  /** Why this machine cannot have it, or null. */
  static unavailableReason(): string | null {
    if (process.platform !== 'linux') return 'network namespaces are Linux only';
    if (process.getuid?.() !== 0) return 'network namespaces need root';
    const trial = new NetworkNamespaces();
    try {
      trial.#begin();
      trial.add('trial');
      return null;
    } catch (error) {
      return `network namespaces cannot be made: ${(error as Error).message}`;
    } finally {
      trial.dispose();
    }
  }

  static create(): NetworkNamespaces {
    removeAbandoned();
    const network = new NetworkNamespaces();
    network.#begin();
    return network;
  }

  add(name: string): NetworkHost {
    const number = this.#hosts.size + 2;
    const namespace = this.#namespace(name);
    const host: NetworkHost = {
      name,
      address: `${this.#subnet}.${number}`,
      runBy: ['ip', 'netns', 'exec', namespace],
    };
    const port = `p${number}`;
    const link = ['link', 'add', port, 'netns', this.#hub, 'type', 'veth'];
    ip(...link, 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', this.#hub, 'link', 'set', port, 'master', 'br0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'addr', 'add', `${host.address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    this.#hosts.set(name, host);
    return host;
  }

  /** Nothing passes between these two any more, in either direction. */
  cut(one: string, other: string): void {
    this.#lose(one, other);
    this.#lose(other, one);
  }

  /** Nothing passes between this one and all the others, the test itself excepted. */
  isolate(name: string): void {
    for (const other of this.#hosts.keys()) if (other !== name) this.cut(name, other);
  }

  heal(): void {
    for (const host of this.#hosts.values()) {
      const namespace = this.#namespaceOf(host.name);
      ip('-n', namespace, 'neigh', 'flush', 'nud', 'permanent', 'dev', 'eth0');
    }
  }

  /** An address that no host has, for one that moves between them. */
  get spareAddress(): string {
    return `${this.#subnet}.${SPARE}`;
  }

  /** The test's own, by which the others reach it. */
  get ownAddress(): string {
    return `${this.#subnet}.1`;
  }

  /** The cable of this host is out, or in again: it sees that itself, and nobody else is told. */
  setLink(name: string, state: 'up' | 'down'): void {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    ip('-n', this.#hub, 'link', 'set', `p${host.address.split('.')[3]}`, state);
  }

  /** Removes all of it; what still runs there loses its network. */
  dispose(): void {
    process.removeListener('exit', this.#disposeAtExit);
    for (const namespace of this.#namespaces.splice(0)) tryIp('netns', 'del', namespace);
    // The other end has gone with its namespace, but later.
    tryIp('link', 'del', this.#ownInterface);
  }

  get #hub(): string {
    return this.#namespaceOf('hub');
  }

  get #ownInterface(): string {
    return `slc${this.#id}`;
  }

  #begin(): void {
    process.once('exit', this.#disposeAtExit);
    const hub = this.#namespace('hub');
    ip('-n', hub, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', hub, 'link', 'set', 'br0', 'up');
    ip('link', 'add', this.#ownInterface, 'type', 'veth', 'peer', 'name', 'p1', 'netns', hub);
    ip('-n', hub, 'link', 'set', 'p1', 'master', 'br0', 'up');
    ip('addr', 'add', `${this.ownAddress}/24`, 'dev', this.#ownInterface);
    ip('link', 'set', this.#ownInterface, 'up');
  }

  #namespaceOf(name: string): string {
    return `sluice-${process.pid}-${this.#id}-${name}`;
  }

  #namespace(name: string): string {
    const namespace = this.#namespaceOf(name);
    ip('netns', 'add', namespace);
    this.#namespaces.push(namespace);
    return namespace;
  }

  #lose(from: string, to: string): void {
    const address = this.#hosts.get(to)?.address;
    if (address === undefined || !this.#hosts.has(from)) throw new Error(`no host ${to} or ${from}`);
    const entry = [address, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', 'eth0'];
    ip('-n', this.#namespaceOf(from), 'neigh', 'replace', ...entry);
  }
}

/** Namespaces whose makers were killed before they could remove them, and what runs there. */
function removeAbandoned(): void {
  for (const line of ipOutput('netns', 'list').split('\n')) {
    const [namespace = ''] = line.split(' ');
    const maker = NAMESPACE.exec(namespace)?.[1];
    if (maker === undefined || isRunning(Number(maker))) continue;
    for (const pid of ipOutput('netns', 'pids', namespace).split('\n'))
      if (pid !== '') killIfAny(Number(pid));
    tryIp('netns', 'del', namespace);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killIfAny(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function ipOutput(...args: string[]): string {
  try {
    return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // Somebody else has removed it.
    return '';
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function tryIp(...args: string[]): void {
  try {
    ip(...args);
  } catch {
    // It was never made, or has gone already.
  }
}

/** Which process listens on a port of this machine, as far as the system tells this user. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTENING = '0A';

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The inodes of its sockets; fields of `/proc/net/tcp` (proc_net(5)). */
function listeningInodes(port: number): ReadonlySet<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = [textOf('/proc/net/tcp'), textOf('/proc/net/tcp6')].join('\n').split('\n');
  const found = lines.flatMap((line): string[] => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === LISTENING && local.endsWith(`:${wanted}`) ? [inode] : [];
  });
  return new Set(found);
}

function hasSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${name}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    // Another user's, or gone meanwhile.
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** `mariadbd (pid 4711)`; null where nobody is found. */
export function portHolder(port: number): string | null {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return null;
  let names: string[] = [];
  try {
    names = readdirSync('/proc');
  } catch {
    return null;
  }
  const own = String(process.pid);
  const pid = names.find((name) => /^\d+$/.test(name) && name !== own && hasSocket(name, inodes));
  return pid === undefined ? null : `${textOf(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
}

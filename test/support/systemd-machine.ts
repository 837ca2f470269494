/**
 * A systemd of its own as process 1 of namespaces of its own, with this machine's files under it and nothing of what it changes
 * left behind: an overlay in memory. The network is this machine's. Needs root.
 */

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OwnedChild } from './child-process.ts';
import { makeTemporaryDirectory } from './owned-resources.ts';
import { waitUntil } from './wait-until.ts';

const exec = promisify(execFile);
const SYSTEMD = '/lib/systemd/systemd';
const CGROUP_PLACES = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'];
/** As long as a machine under load may take. */
const BOOT_MS = 60_000;

/** Runs in the new namespaces; $1 is a folder of ours. */
const BOOT = `set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
root=$1/root
mkdir "$1/upper" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t tmpfs none "$root/run"
mount -t tmpfs none "$root/tmp"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -o remount,ro,bind "$root/sys"
mount -t tmpfs none "$root/dev"
for device in null zero random urandom tty full; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t devpts -o newinstance devpts "$root/dev/pts"
touch "$root/dev/console"
mount --bind /dev/null "$root/dev/console"
rm -rf "$root"/etc/systemd/system/*.wants "$root/var/lib/systemd/linger"
mkdir "$root/tmp/given"
mount --bind "$2" "$root/tmp/given"
mkdir "$root/tmp/before"
cd "$root"
pivot_root . tmp/before
umount --lazy /tmp/before
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin ${SYSTEMD} --system --unit=basic.target
`;

/** Why no such machine can be made here; null if it can. */
export function systemdObstacle(): string | null {
  if (process.getuid?.() !== 0) return 'only root makes namespaces';
  if (!existsSync(SYSTEMD)) return 'systemd is not installed';
  if (cgroupFolder() === null) return 'there is no cgroup v2';
  const { status } = spawnSync('unshare', ['--mount', '--pid', '--fork', '--cgroup', 'true']);
  return status === 0 ? null : 'namespaces cannot be made';
}

function cgroupFolder(): string | null {
  return CGROUP_PLACES.find((place) => existsSync(join(place, 'cgroup.procs'))) ?? null;
}

export class SystemdMachine {
  readonly #child: OwnedChild;
  readonly #pid: number;
  readonly #cgroup: string;

  private constructor(child: OwnedChild, pid: number, cgroup: string) {
    this.#child = child;
    this.#pid = pid;
    this.#cgroup = cgroup;
  }

  /** @param given a folder that the machine sees as /tmp/given */
  static async boot(given: string): Promise<SystemdMachine> {
    const folder = makeTemporaryDirectory('systemd');
    const cgroup = join(cgroupFolder() ?? '', `sluice-test-${process.pid}`);
    mkdirSync(cgroup);
    writeFileSync(join(folder, 'boot.sh'), BOOT);
    mkdirSync(join(folder, 'machine'));
    const unshare = 'unshare --kill-child --mount --pid --fork --uts --ipc --cgroup';
    const command = `echo $$ >${cgroup}/cgroup.procs && exec ${unshare} sh ${folder}/boot.sh ${folder}/machine ${given}`;
    const child = await OwnedChild.spawn({
      command: 'sh',
      args: ['-c', command],
      outputFile: join(folder, 'output'),
    });
    const output = () => readFileSync(join(folder, 'output'), 'utf8');
    const find = async () => {
      if (child.exit !== null) throw new Error(`the machine has ended: ${output()}`);
      const [pid] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
      return Number(pid) > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'systemd\n'
        ? Number(pid)
        : null;
    };
    const pid = await waitUntil('process 1 runs', find, { timeoutMs: BOOT_MS });
    const machine = new SystemdMachine(child, pid ?? 0, cgroup);
    await waitUntil(
      'systemd has started its units',
      async () => {
        const { stdout } = await machine.run('systemctl', 'is-system-running').catch((error) => error);
        return ['running', 'degraded'].includes(String(stdout).trim());
      },
      { timeoutMs: BOOT_MS },
    );
    return machine;
  }

  /** Runs a program in it. @throws the error of `execFile` if it fails */
  run(program: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
    return exec('nsenter', ['--target', String(this.#pid), '--all', '--root', '--wd=/', program, ...args]);
  }

  shell(script: string): Promise<{ stdout: string; stderr: string }> {
    return this.run('sh', '-c', script);
  }

  /** A property of a unit. */
  async show(unit: string, property: string): Promise<string> {
    const { stdout } = await this.run('systemctl', 'show', '--value', '--property', property, unit);
    return stdout.trim();
  }

  async stop(): Promise<void> {
    await this.#child.end('SIGKILL', 1000);
    // All of its processes have gone with process 1, the folders of its groups may take a moment.
    await waitUntil('its cgroup is empty', () => {
      spawnSync('find', [
        this.#cgroup,
        '-mindepth',
        '1',
        '-depth',
        '-type',
        'd',
        '-exec',
        'rmdir',
        '{}',
        ';',
      ]);
      try {
        rmdirSync(this.#cgroup);
        return true;
      } catch {
        return !existsSync(this.#cgroup);
      }
    });
  }
}

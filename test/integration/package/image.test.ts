// sluice-test: nightly timeout=1200
/**
 * docker/Dockerfile is built by buildah from bases made here, and its file system run as a container would run it. What
 * no engine is needed for; needs root, buildah and the registries of npm and Debian.
 */
import { execFile } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { findProgramIfAny } from '../../support/find-program.ts';
import { nodeProgram } from '../../support/node-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { servesClientsAndOperators } from '../../support/serving.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAX_COMPRESSED_BYTES = 90e6;
const USER = 65532;
const COMMAND_TIMEOUT_MS = 900_000;

async function run(command: string, args: readonly string[]): Promise<string> {
  const options = { cwd: ROOT, timeout: COMMAND_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(command, args, options)).stdout.trim();
}

interface ImageConfig {
  readonly User: string;
  readonly StopSignal: string;
  readonly Entrypoint: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Env: readonly string[];
}

const missing =
  process.getuid?.() !== 0
    ? 'needs root'
    : (await findProgramIfAny(['buildah'])) === null
      ? 'buildah is not installed'
      : null;

t.test('the image', { skip: missing ?? false, timeout: COMMAND_TIMEOUT_MS }, async (t) => {
  const store = makeTemporaryDirectory('image');
  const buildah = (...args: string[]) =>
    run('buildah', ['--root', join(store, 'root'), '--runroot', join(store, 'run'), ...args]);
  t.teardown(async () => {
    await buildah('umount', '--all').catch(() => undefined);
    await buildah('rm', '--all').catch(() => undefined);
    await run('umount', [join(store, 'root/overlay')]).catch(() => undefined);
    removeTemporaryDirectory(store);
  });
  await run(join(ROOT, 'test/integration/package/make-local-bases.sh'), [store, await nodeProgram()]);
  const bases = ['NODE_IMAGE=localhost/build-base', 'RUNTIME_IMAGE=localhost/runtime-base'];
  const build = ['bud', '--isolation', 'chroot', '--format', 'docker', '--pull-never', '-q', '-t', 'sluice'];
  await buildah(...build, ...bases.flatMap((base) => ['--build-arg', base]), '-f', 'docker/Dockerfile', '.');

  await t.test('says what it is', async (t) => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', 'sluice'));
    const config: ImageConfig = Docker.config;
    t.match(config, {
      User: `${USER}:${USER}`,
      StopSignal: 'SIGTERM',
      Entrypoint: ['/usr/bin/sluice'],
      Labels: {
        'org.opencontainers.image.title': 'sluice',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
      Healthcheck: { Test: ['CMD', '/usr/bin/sluice', 'check', '--ready'] },
    });
    t.strictSame(Object.keys(config.ExposedPorts).toSorted(), ['6032/tcp', '6033/tcp', '6080/tcp']);
    t.ok(config.Env.includes('SLUICE_CONFIG=/etc/sluice/sluice.yaml'));
    t.ok(config.Env.includes('MALLOC_ARENA_MAX=2'));
  });

  await t.test('is small', async (t) => {
    const folder = join(store, 'pushed');
    await buildah('push', '-q', 'sluice', `oci:${folder}`);
    const blobs = globSync(join(folder, 'blobs/sha256/*'));
    const bytes = blobs.reduce((sum, blob) => sum + statSync(blob).size, 0);
    t.ok(bytes <= MAX_COMPRESSED_BYTES, `${(bytes / 1e6).toFixed(1)} MB compressed`);
    t.comment(`${(bytes / 1e6).toFixed(1)} MB compressed`);
  });

  const container = await buildah('from', '--pull-never', 'sluice');
  const root = await buildah('mount', container);

  await t.test('has no shell, no package manager, and nothing of the build', async (t) => {
    for (const path of ['bin/sh', 'usr/bin/npm', 'usr/local/bin/node', 'build', 'usr/lib/sluice/src'])
      t.strictSame(globSync(join(root, path)), [], path);
    t.equal(statSync(join(root, 'var/lib/sluice')).uid, USER, 'its data folder is its own');
    t.equal(statSync(join(root, 'usr/lib/sluice')).uid, 0, 'and nothing else');
  });

  await t.test('runs without privileges and without a writable file', async (t) => {
    const set = await new ReplicationSet({ replicas: 1 }).start();
    t.teardown(() => set.dispose());
    const inside = join(ROOT, 'test/integration/package/run-file-system.sh');
    const start = [
      '-c',
      `exec unshare -mpf --kill-child "${inside}" "${root}" "$2" /usr/bin/sluice "$@"`,
      'sh',
    ];
    const sluice = await SluiceProcess.startFor(set, { command: { program: 'sh', args: start } });
    t.teardown(() => sluice.dispose());
    const pid = (await run('cat', [`/proc/${sluice.pid}/task/${sluice.pid}/children`])).trim();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    t.match(status, new RegExp(`^Uid:\\t${USER}\\t${USER}\\t${USER}\\t${USER}$`, 'm'));
    t.match(status, /^NSpid:\t\d+\t1$/m, 'it is process 1');
    t.match(status, /^CapEff:\t0+$/m);
    const writable = readFileSync(`/proc/${pid}/mounts`, 'utf8').match(
      /^\S+ (?!\/proc |\/dev\/)\S+ \S+ rw/gm,
    );
    t.equal(writable, null, 'no file system can be written to');

    await servesClientsAndOperators(t, sluice);
    const inContainer = ['run', '--isolation', 'chroot', '--env', 'SLUICE_CONFIG=', container, '--'];
    const check = ['/usr/bin/sluice', 'check', '--ready', '--http.port', String(sluice.httpPort)];
    t.match(await buildah(...inContainer, ...check), /^ready/);
    await t.rejects(
      buildah('run', '--isolation', 'chroot', container, '--', ...check.slice(0, 3)),
      'no such port',
    );

    process.kill(Number(pid), 'SIGTERM');
    t.match(await sluice.exited, { code: 0 }, 'SIGTERM ends process 1 by itself');
  });
});

/** Runs a playbook with Debian's `ansible-playbook`, and reads what it says of each task. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `changed`, `ok`, `failed`, `fatal`; of a loop the last one. */
export type TaskOutcome = string;

export interface PlaybookRun {
  readonly tasks: ReadonlyMap<string, TaskOutcome>;
  readonly output: string;
  readonly code: number;
}

const TIMEOUT_MS = 240_000;
const TASK = /^TASK \[(.*)\] \**$/;
const OUTCOME = /^(ok|changed|failed|fatal|skipping|unreachable): \[localhost\]/;

const directory = fileURLToPath(new URL('ansible/', import.meta.url));

/** Of Debian's package `ansible`, or taken out of it by test/support/setup.sh. */
const COLLECTIONS = [
  '/usr/share/ansible/collections/ansible_collections/community/proxysql',
  '/usr/lib/python3/dist-packages/ansible_collections/community/proxysql',
];

/** Why it cannot be run here; null when it can. */
export function ansibleUnavailable(): string | null {
  if (!existsSync('/usr/bin/ansible-playbook')) return 'ansible-playbook (package ansible-core) is not there';
  if (!COLLECTIONS.some((path) => existsSync(path))) return 'the collection community.proxysql is not there';
  return null;
}

export function runPlaybook(
  file: string,
  variables: Readonly<Record<string, string | number | boolean>>,
  args: readonly string[] = [],
  home: string,
): Promise<PlaybookRun> {
  const options = ['-i', 'localhost,', '-c', 'local', '-e', JSON.stringify(variables), ...args];
  const env = {
    ...process.env,
    HOME: home,
    ANSIBLE_HOME: home,
    ANSIBLE_LOCAL_TEMP: home,
    ANSIBLE_REMOTE_TEMP: home,
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PIPELINING: '1',
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    ANSIBLE_STDOUT_CALLBACK: 'default',
    ANSIBLE_DEPRECATION_WARNINGS: '0',
    PYTHONPATH: '',
  };
  return new Promise((resolve) => {
    execFile(
      'ansible-playbook',
      [...options, join(directory, file)],
      { env, timeout: TIMEOUT_MS, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ tasks: tasksOf(stdout), output: `${stdout}\n${stderr}`, code });
      },
    );
  });
}

function tasksOf(output: string): Map<string, TaskOutcome> {
  const tasks = new Map<string, TaskOutcome>();
  let task = '';
  for (const line of output.split('\n')) {
    task = TASK.exec(line)?.[1] ?? task;
    const outcome = OUTCOME.exec(line)?.[1];
    // Tasks stand in the playbook twice, each time for one of the states.
    if (outcome !== undefined && outcome !== 'skipping') tasks.set(task, outcome);
  }
  return tasks;
}

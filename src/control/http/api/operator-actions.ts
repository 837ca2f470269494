/**
 * What an operator does from the dashboard: commands of the admin port, run by its dispatcher, so that they are
 * authorized, checked and logged as if they had been typed there.
 */
import { type CommandContext, runAdminStatement } from '../../admin/admin-command.ts';
import { AdminError } from '../../admin/admin-error.ts';
import { type Answer, json } from '../http-answer.ts';
import { type HttpCall, type HttpRoute, RouteAccess, type Visitor } from '../http-route.ts';
import type { ActionValue } from './api-values.ts';
import { problem, readJson } from './json-request.ts';

const STATUS = { accessDenied: 403, wrongArgument: 404, timeout: 504 } as const;

type Fields = Readonly<Record<string, unknown>>;

interface Action {
  readonly path: string;
  readonly expects: string;
  /** The command, or null where the arguments are not what they should be. */
  readonly command: (fields: Fields) => string | null;
  readonly message: (fields: Fields) => string;
}

/** Nothing in it ends a quoted text. */
const ADDRESS = /^[A-Za-z0-9_.:[\]-]{3,300}$/;

function serverCommand(word: string): Action['command'] {
  return ({ address }) =>
    typeof address === 'string' && ADDRESS.test(address) ? `${word} '${address}'` : null;
}

function killCommand({ session, queryOnly = false }: Fields): string | null {
  const isSession = Number.isSafeInteger(session) && Number(session) > 0;
  return isSession && typeof queryOnly === 'boolean'
    ? `KILL ${queryOnly ? 'QUERY' : 'CONNECTION'} ${session}`
    : null;
}

function rollbackCommand({ version }: Fields): string | null {
  return Number.isSafeInteger(version) && Number(version) > 0 ? `ROLLBACK RUNTIME TO ${version}` : null;
}

const ACTIONS: readonly Action[] = [
  {
    path: '/api/drain',
    expects: '{"address": "host:port"}',
    command: serverCommand('DRAIN'),
    message: ({ address }) => `${address} gets no new statements. What runs there may finish.`,
  },
  {
    path: '/api/undrain',
    expects: '{"address": "host:port"}',
    command: serverCommand('UNDRAIN'),
    message: ({ address }) => `${address} is used again as soon as its checks are good.`,
  },
  {
    path: '/api/switchover',
    expects: '{"address": "host:port"}',
    command: serverCommand('SWITCHOVER TO'),
    message: ({ address }) => `${address} is the primary.`,
  },
  {
    path: '/api/kill',
    expects: '{"session": id, "queryOnly": true or false}',
    command: killCommand,
    message: ({ session, queryOnly }) =>
      queryOnly === true
        ? `The statement of session ${session} was killed.`
        : `Session ${session} was killed.`,
  },
  {
    path: '/api/rollback',
    expects: '{"version": number}',
    command: rollbackCommand,
    message: ({ version }) => `What version ${version} held is in force again.`,
  },
];

export interface ActionOptions {
  readonly context: CommandContext;
  /** What viewers see is to be made anew. */
  readonly done: () => void;
}

export function actionRoutes({ context, done }: ActionOptions): HttpRoute[] {
  return ACTIONS.map((action) => ({
    method: 'POST',
    path: action.path,
    access: RouteAccess.admin,
    answer: async (call) => {
      const fields = readJson(call);
      const command = fields === null ? null : action.command(fields);
      if (fields === null || command === null)
        return problem(400, `expected JSON, ${action.expects}, as application/json`);
      const refusal = await run(command, call, context);
      done();
      return refusal ?? json(200, { message: action.message(fields) } satisfies ActionValue);
    },
  }));
}

async function run(command: string, call: HttpCall, context: CommandContext): Promise<Answer | null> {
  const { username, role } = call.visitor as Visitor;
  const session = { connectionId: 0, username, role, host: call.address, schema: null, conditions: [] };
  try {
    await runAdminStatement(Buffer.from(command), session, context);
    return null;
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const { [error.kind]: status = 400 } = STATUS as Readonly<Record<string, number>>;
    return problem(status, error.message);
  }
}

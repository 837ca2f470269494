/** Logging in and out at the dashboard. The form works without scripts. */
import type { AccessControl } from '../access/access-control.ts';
import { type Answer, json, redirect } from '../http-answer.ts';
import { type HttpCall, type HttpRoute, RouteAccess } from '../http-route.ts';

const HTML_TYPE = 'text/html; charset=utf-8';
/** Where the page says what went wrong; only sentences of ours go there. */
const MESSAGE_MARK = '<!-- message -->';
const WRONG = 'User name or password is wrong.';
const BUSY = 'Too many failures. Wait a moment, then try again.';

export interface LoginOptions {
  readonly access: AccessControl;
  /** The page with a mark for its message. */
  readonly page: string;
}

export function loginRoutes({ access, page }: LoginOptions): HttpRoute[] {
  const answer = (status: number, message: string): Answer => ({
    status,
    contentType: HTML_TYPE,
    body: page.replace(MESSAGE_MARK, message === '' ? '' : `<p class="message" role="alert">${message}</p>`),
  });
  return [
    {
      method: 'GET',
      path: '/login',
      access: RouteAccess.open,
      answer: () => answer(200, ''),
    },
    {
      method: 'POST',
      path: '/login',
      access: RouteAccess.open,
      answer: async ({ body, address, localPort, isTls }: HttpCall) => {
        const form = new URLSearchParams(body.toString('utf8'));
        const [username, password] = [form.get('username') ?? '', form.get('password') ?? ''];
        const verdict = await access.login(username, password, address);
        if (verdict.kind === 'accepted')
          return redirect('/', { 'set-cookie': access.open(verdict.account, localPort, isTls) });
        return verdict.kind === 'busy' ? answer(429, BUSY) : answer(401, WRONG);
      },
    },
    {
      method: 'POST',
      path: '/logout',
      access: RouteAccess.stats,
      answer: ({ visitor, address, localPort, isTls }: HttpCall) => {
        if (visitor === null) return json(401, { error: 'nobody is logged in' });
        return json(200, {}, { 'set-cookie': access.close(visitor, address, localPort, isTls) });
      },
    },
  ];
}

/** The dashboard's pages and files. The files hold nothing of this Sluice, so that the login page may use them too. */
import type { AccessControl } from '../access/access-control.ts';
import { isKnown } from '../http-answer.ts';
import { type HttpRoute, RouteAccess } from '../http-route.ts';
import { type Asset, DashboardAssets } from './dashboard-assets.ts';
import { loginRoutes } from './login-routes.ts';

const HTML_TYPE = 'text/html; charset=utf-8';

export function dashboardRoutes(access: AccessControl): HttpRoute[] {
  const assets = DashboardAssets.load();
  const page = assets.page('dashboard.html');
  return [
    {
      method: 'GET',
      path: '/',
      access: RouteAccess.stats,
      isPage: true,
      answer: () => ({ status: 200, contentType: HTML_TYPE, body: page }),
    },
    ...loginRoutes({ access, page: assets.page('login.html') }),
    ...[...assets.files].map(([name, asset]) => assetRoute(`/assets/${name}`, asset)),
  ];
}

function assetRoute(path: string, { contentType, body, etag }: Asset): HttpRoute {
  // Asked for again each time, and sent again only when it has changed: an update is seen at once.
  const headers = { etag, 'cache-control': 'no-cache' };
  return {
    method: 'GET',
    path,
    access: RouteAccess.open,
    answer: (call) =>
      isKnown(call.headers, etag)
        ? { status: 304, contentType, body: '', headers }
        : { status: 200, contentType, body, headers },
  };
}

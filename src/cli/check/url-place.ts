/** Where `--url` points. */
import { CheckError } from './check-exit.ts';
import type { HttpPlace } from './http-place.ts';

/** @throws CheckError, without the text: it may hold a password */
export function placeOfUrl(text: string): HttpPlace {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isTls = url?.protocol === 'https:';
  if (url === null || !(isTls || url.protocol === 'http:') || url.hostname === '')
    throw new CheckError('--url takes http://host:port or https://host:port');
  if (url.username !== '' || url.password !== '')
    throw new CheckError('--url takes no user and password: everybody on this machine could read them');
  if (url.pathname !== '/' || url.search !== '') throw new CheckError('--url takes no path');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, isTls, configFile: null };
}

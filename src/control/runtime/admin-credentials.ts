/** Operators as ProxySQL writes them: `name:password;name:password`. */

import type { Config } from '../../../config/schema.ts';
import { ValueError } from './column-mapping.ts';

type Operator = Config['admin']['users'][number];

export function writeCredentials(users: readonly Operator[], role: Operator['role']): string {
  return users
    .filter((user) => user.role === role)
    .map(({ username, password }) => `${username}:${password}`)
    .join(';');
}

/** @throws ValueError where the text is not of this form; its parts are passwords and not repeated */
export function readCredentials(
  users: readonly Operator[],
  role: Operator['role'],
  text: string,
): readonly Operator[] {
  // A name or password may hold what separates them: what says the same as before changes nothing.
  if (text === writeCredentials(users, role)) return users;
  const listed = text
    .split(';')
    .filter((part) => part !== '')
    .map((part) => {
      const colon = part.indexOf(':');
      if (colon < 1) throw new ValueError('expected name:password, several separated by semicolons');
      return { username: part.slice(0, colon), password: part.slice(colon + 1), role };
    });
  return [...users.filter((user) => user.role !== role), ...listed];
}

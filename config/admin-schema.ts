/** The settings of the admin port. */
import * as z from 'zod';
import { adminListenSettings } from './admin-listen-schema.ts';
import { describe, hostName, listenPort, section } from './schema-parts.ts';
import { password } from './secret-schema.ts';

const MAX_OPERATORS = 1000;

const adminUserSchema = z
  .strictObject({
    username: describe(z.string().min(1).max(128), { description: 'Account name on the admin port.' }),
    password: password({
      description:
        'Plain text, or in quotes a hash as a server stores it: of mysql_native_password (`*` and 40 hex digits) or of caching_sha2_password (`$A$…`).',
    }),
    role: describe(z.enum(['admin', 'stats']).default('admin'), {
      description: '`admin` may do everything; `stats` sees numbers only, and changes nothing.',
    }),
  })
  .meta({ description: 'An operator.' });

/** As ProxySQL's tools expect them; nothing but loopback may be listened on with these. */
const DEFAULT_USERS = [
  { username: 'admin', password: 'admin', role: 'admin' as const },
  { username: 'stats', password: 'stats', role: 'stats' as const },
];

export const adminSection = section('Where operators connect, with any MySQL client.', {
  host: hostName('127.0.0.1', 'Address to listen on; anything but loopback needs passwords of your own.'),
  port: listenPort(6032, 'TCP port; 0 lets the system choose.'),
  ...adminListenSettings,
  users: describe(z.array(adminUserSchema).max(MAX_OPERATORS).default(DEFAULT_USERS), {
    description: 'Operators, on the http port as well.',
    defaultText: '`admin` / `admin`, and `stats` / `stats` with the role `stats`',
  }),
});

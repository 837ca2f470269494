/** WordPress from Debian's package, installed, written to and read: its pages through Sluice are those of the server. */
// sluice-test: long

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import { Mysql57Server } from '../support/mysql57-server.ts';
import { isNightly } from '../support/nightly.ts';
import { runWordpress } from './wordpress/run-wordpress.ts';
import { THEME, WORDPRESS } from './wordpress/site.ts';

const missing = existsSync(join(WORDPRESS, 'wp-content/themes', THEME, 'style.css'))
  ? null
  : 'the packages wordpress and wordpress-theme-twentytwentythree are not installed';
const nightly = isNightly ? null : 'nightly only';

t.test('on MariaDB', { skip: missing ?? false }, (t) => runWordpress(t, ServerFlavor.mariadb));

const notHere = missing ?? nightly ?? (await Mysql57Server.unavailableReason());
t.test('on MySQL', { skip: notHere ?? false }, (t) => runWordpress(t, ServerFlavor.mysql));

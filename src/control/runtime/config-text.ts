/** A configuration as a file that says the same: what somebody has written, without the defaults. */

import { stringify } from 'yaml';
import type { Config } from '../../../config/schema.ts';
import type { WrittenSettings } from './written-settings.ts';

const HEAD = '# What was in force, without what is the default anyway. It holds passwords.\n';

export function configText(config: Config, written: WrittenSettings): string {
  const content = written.content(config);
  if (config.backendUsers !== null) {
    const listed = content.users === undefined ? {} : { listed: content.users };
    content.users = { source: 'backend', ...config.backendUsers, ...listed };
  }
  return `${HEAD}${stringify(content, { lineWidth: 0 })}`;
}

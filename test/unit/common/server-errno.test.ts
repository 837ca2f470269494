import t from 'tap';
import { errorNameOf } from '../../../protocol/index.ts';
import * as errnos from '../../../src/common/server-errno.ts';

t.test('each number is what servers give to that name', (t) => {
  for (const [name, errno] of Object.entries(errnos)) t.equal(errorNameOf(errno), name);
  t.end();
});

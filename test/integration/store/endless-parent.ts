/** A process whose store runs a statement without an end; tells the pid of the store process, to be killed. */

import { ENDLESS, StoreUnderTest } from './store-under-test.ts';

const under = new StoreUnderTest();
await under.rows('SELECT 1');
void under.error(`${ENDLESS} SELECT count(*) FROM c`);
process.send?.(under.store.pid);

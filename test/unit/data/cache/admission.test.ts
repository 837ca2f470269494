/** Who is let into a full store. */

import t from 'tap';
import { Admission } from '../../../../src/data/cache/admission.ts';

t.test('what is asked for a second time, and few others', (t) => {
  const admission = new Admission();
  let early = 0;
  for (let key = 0; key < 50_000; key++) if (admission.admits(key)) early++;
  t.ok(early < 50_000 * 0.05, `${early} of 50,000 were taken for others`);
  let refused = 0;
  for (let key = 0; key < 50_000; key++) if (!admission.admits(key)) refused++;
  t.equal(refused, 0);
  t.end();
});

t.test('keys that come once are not let in, however many, and what comes often is', (t) => {
  const admission = new Admission();
  let early = 0;
  let refused = 0;
  for (let key = 0; key < 2_000_000; key++) {
    if (admission.admits((key * 2_654_435_761) | 0)) early++;
    if (key % 1000 === 0 && !admission.admits(7)) refused++;
  }
  t.ok(early < 2_000_000 * 0.2, `${early}`);
  t.equal(refused, 1, 'only the first time');
  t.end();
});

t.test('what was asked for long ago is forgotten', (t) => {
  const admission = new Admission();
  t.notOk(admission.admits(1));
  for (let key = 1000; key < 600_000; key++) admission.admits(key);
  let known = 0;
  for (let key = 1; key <= 100; key++) if (admission.admits(-key)) known++;
  t.ok(known < 40, `${known} of 100 that never came`);
  t.end();
});

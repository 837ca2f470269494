/** Who is let into a full store. */

import t from 'tap';
import { Admission } from '../../../../src/data/cache/admission.ts';

t.test('what is asked for a second time, and nobody else', (t) => {
  const admission = new Admission();
  let early = 0;
  let late = 0;
  for (let key = 0; key < 20_000; key++) if (admission.admits(key)) early++;
  for (let key = 0; key < 20_000; key++) if (admission.admits(key)) late++;
  t.equal(early, 0);
  t.ok(late > 16_000, `${late} of 20,000 are remembered`);
  t.end();
});

t.test('keys that come once are not let in, however many, and what comes often is', (t) => {
  const admission = new Admission();
  let early = 0;
  let refused = 0;
  for (let key = 1; key < 2_000_000; key++) {
    if (admission.admits(key)) early++;
    if (key % 1000 === 0 && !admission.admits(-7)) refused++;
  }
  t.equal(early, 0);
  t.ok(refused < 40, `${refused} times it had been forgotten`);
  t.end();
});

t.test('what was asked for long ago is forgotten', (t) => {
  const admission = new Admission();
  for (let key = 1; key <= 1000; key++) admission.admits(-key);
  for (let key = 1; key < 1_000_000; key++) admission.admits(key);
  let known = 0;
  for (let key = 1; key <= 1000; key++) if (admission.admits(-key)) known++;
  t.ok(known < 10, `${known} of 1000`);
  t.end();
});

/** The places of planted faults are where they are said to be, and what is put there can be read. */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import t from 'tap';
import { plantedFaults, withFault } from '../../cache/planted-faults.ts';

for (const fault of plantedFaults) {
  t.test(fault.name, (t) => {
    const source = readFileSync(new URL(`../../../${fault.file}`, import.meta.url), 'utf8');
    t.doesNotThrow(() => stripTypeScriptTypes(withFault(fault, source)));
    t.end();
  });
}

t.test('a fault whose place has changed', (t) => {
  const fault = plantedFaults[0]!;
  t.throws(() => withFault(fault, ''), /has its place 0 times/);
  t.throws(() => withFault(fault, fault.from + fault.from), /has its place 2 times/);
  t.end();
});

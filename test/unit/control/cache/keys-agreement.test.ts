/** When other keys are in force. */

import t from 'tap';
import type { Snapshot } from '../../../../src/common/snapshot.ts';
import { TableEpochs } from '../../../../src/common/table-epochs.ts';
import { KeysAgreement } from '../../../../src/control/cache/keys-agreement.ts';
import { waitUntil } from '../../../support/wait-until.ts';

t.test('keys are in force when all workers go by them', async (t) => {
  const epochs = new TableEpochs(1);
  let version = 3;
  let asked = 0;
  let isAgreed = false;
  const snapshot = () => ({ catalog: { tables: { keys: { version } } } }) as Snapshot;
  const agreement = new KeysAgreement({
    epochs,
    snapshot,
    isAgreed: () => {
      asked++;
      return isAgreed;
    },
  });
  agreement.follow();
  await waitUntil('workers were asked twice', () => asked >= 2);
  t.equal(epochs.rows.keysInForce, 0, 'somebody goes by others');
  isAgreed = true;
  await waitUntil('they are in force', () => epochs.rows.keysInForce === 3);
  const before = asked;
  agreement.follow();
  version = 4;
  isAgreed = false;
  agreement.follow();
  await waitUntil('they were asked again', () => asked > before);
  version = 5;
  isAgreed = true;
  await waitUntil('the last ones are in force', () => epochs.rows.keysInForce === 5);
  version = 6;
  agreement.stop();
  agreement.follow();
  t.equal(epochs.rows.keysInForce, 5);
});

import t from 'tap';
import {
  type HandoverOffer,
  readFromGiver,
  readFromTaker,
} from '../../../../src/control/handover/handover-messages.ts';

const OFFER: HandoverOffer = {
  type: 'offer',
  protocol: 1,
  version: '0.1.0',
  pid: 4711,
  sockets: [{ use: 'clients', host: '0.0.0.0', port: 6033, path: null, fd: 4, identity: 'socket:[12]' }],
  nextConnectionId: 5,
  done: 1,
  failed: 0,
};

t.test('what each side says is read as it was said', (t) => {
  for (const message of [
    OFFER,
    { type: 'yours', administered: [{ address: '10.0.0.1:3306', status: 'OFFLINE_SOFT' }] },
    { type: 'released' },
    { type: 'gone' },
    { type: 'cancelled', reason: 'late' },
    { type: 'draining', clients: 3 },
  ])
    t.strictSame(readFromGiver(JSON.parse(JSON.stringify(message))), message);
  for (const message of [
    { type: 'hello', protocol: 1, version: '0.1.0' },
    { type: 'waiting', reasons: ['no primary is known'] },
    { type: 'ready' },
    { type: 'taken' },
    { type: 'announced' },
    { type: 'words', text: 'sluice: no' },
  ])
    t.strictSame(readFromTaker(JSON.parse(JSON.stringify(message))), message);
  t.end();
});

t.test('what is no message of this protocol is none', (t) => {
  const [socket] = OFFER.sockets;
  for (const message of [
    null,
    'yours',
    {},
    { type: 'yourself' },
    { type: 'cancelled' },
    { type: 'yours' },
    { type: 'yours', administered: [{ address: '10.0.0.1:3306', status: 'SHUNNED' }] },
    { type: 'draining', clients: -1 },
    { ...OFFER, sockets: {} },
    { ...OFFER, sockets: [{ ...socket, fd: 1.5 }] },
    { ...OFFER, sockets: [{ ...socket, use: 'other' }] },
    { ...OFFER, sockets: [{ ...socket, path: 3 }] },
    { ...OFFER, nextConnectionId: '5' },
  ])
    t.equal(readFromGiver(message), null, JSON.stringify(message));
  for (const message of [
    undefined,
    7,
    { type: 'hello', protocol: 1 },
    { type: 'waiting' },
    { type: 'words' },
  ])
    t.equal(readFromTaker(message), null, JSON.stringify(message));
  t.end();
});

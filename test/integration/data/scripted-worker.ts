/**
 * Stands for a worker whose faults are asked for. `serverVersion` of the snapshot is the script: words of the form
 * `<worker or *>:<deed>`, where a deed is one of those below.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { NO_RECORDS } from '../../../src/common/inspection.ts';
import {
  Gauge,
  ServerCounter,
  ServerGauge,
  SharedCounters,
  serverGauge,
  WorkerCounter,
} from '../../../src/common/shared-counters.ts';
import type { Snapshot } from '../../../src/common/snapshot.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../../../src/common/thread-messages.ts';

const start = workerData as WorkerStart;
const shared = new SharedCounters(start.counters);
const own = shared.worker(start.workerIndex);
const post = (message: FromWorker): void => parentPort!.postMessage(message);
const say = (message: string): void =>
  post({
    type: 'report',
    stream: 'logLines',
    records: [{ level: 'info', message, fields: {} }],
    dropped: 0,
  });

let mute = false;
let requests = 0;

function deedsOf(snapshot: Snapshot): string[] {
  return snapshot.serverVersion.split(' ').flatMap((word) => {
    const [who, deed] = word.split(':');
    return deed !== undefined && (who === '*' || who === String(start.workerIndex)) ? [deed] : [];
  });
}

function obey(snapshot: Snapshot): void {
  for (const deed of deedsOf(snapshot)) {
    if (deed === 'crash') throw new Error('as the test wants it');
    if (deed === 'mute') mute = true;
    if (deed === 'take') take();
    if (deed === 'kill')
      post({
        type: 'kill',
        requestId: ++requests,
        fromWorker: start.workerIndex,
        connectionId: 4711,
        queryOnly: true,
        username: 'app',
        ofAll: false,
        allOfUser: null,
      });
  }
  post({ type: 'applied', version: snapshot.version });
}

/** Counts two clients of user 5, one of them pinned for the first reason, and three connections to server 9, one of them in use. */
function take(): void {
  shared.acquire(Gauge.frontendConnections, 0);
  shared.acquire(Gauge.frontendConnections, 0);
  own.add(WorkerCounter.sessions, 2);
  own.add(WorkerCounter.pinnedSessions);
  own.pinStarted(0);
  shared.acquireUser(start.workerIndex, 5, 0);
  shared.acquireUser(start.workerIndex, 5, 0);
  shared.addGauge(serverGauge(9, ServerGauge.connections), 3);
  own.addServer(9, ServerCounter.heldConnections, 3);
  shared.addGauge(serverGauge(9, ServerGauge.inUse), 1);
  own.addServer(9, ServerCounter.heldInUse, 1);
}

function listening(): void {
  post({ type: 'listening', host: start.listen.host, port: start.listen.port || 40_000 });
}

parentPort!.on('message', (message: ToWorker) => {
  if (message.type === 'snapshot') obey(message.snapshot);
  else if (message.type === 'stop') {
    // A late one has just come so far.
    if (deedsOf(start.snapshot).includes('late')) listening();
    post({ type: 'drained' });
  } else if (message.type === 'explain')
    post({
      type: 'explained',
      requestId: message.requestId,
      steps: [{ step: 'by', value: `${start.workerIndex}` }],
    });
  else if (message.type === 'killAnswer') say(`killAnswer ${message.requestId} ${message.outcome}`);
  else if (message.type === 'inspect' && !mute)
    post({
      type: 'inspected',
      requestId: message.requestId,
      ...NO_RECORDS,
      isLast: true,
    });
  else if (message.type === 'kill' && !mute)
    post({
      type: 'killAnswer',
      requestId: message.requestId,
      fromWorker: message.fromWorker,
      outcome: 'unknown',
    });
});

if (deedsOf(start.snapshot).includes('die')) throw new Error('as the test wants it');
if (deedsOf(start.snapshot).includes('deaf')) post({ type: 'listenFailed', message: 'address in use' });
else if (deedsOf(start.snapshot).includes('late')) say('not listening yet');
else listening();
obey(start.snapshot);

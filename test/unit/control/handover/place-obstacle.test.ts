import t from 'tap';
import { placeObstacle } from '../../../../src/control/handover/place-obstacle.ts';

const ORDINARY = { pid: 4000, parentPid: 300, parentName: 'bash', env: {} };

t.test('a process that nobody takes for the service can be replaced', (t) => {
  t.equal(placeObstacle(ORDINARY), null);
  t.equal(placeObstacle({ ...ORDINARY, parentPid: 1, parentName: 'systemd' }), null, 'its parent has gone');
  const inherited = { SYSTEMD_EXEC_PID: '300' };
  t.equal(placeObstacle({ ...ORDINARY, env: inherited }), null, 'started by a service of systemd');
  t.end();
});

t.test('a container ends with its first process', (t) => {
  t.match(placeObstacle({ ...ORDINARY, pid: 1, parentPid: 0, parentName: '' }), /process 1 of a container/);
  t.match(placeObstacle({ ...ORDINARY, parentPid: 1, parentName: 'tini' }), /process 1 is tini/);
  t.equal(placeObstacle({ ...ORDINARY, parentPid: 20, parentName: 'tini' }), null, 'not the first one');
  t.end();
});

t.test('systemd has to be told which process is the service', (t) => {
  const started = { ...ORDINARY, parentPid: 1, parentName: 'systemd', env: { SYSTEMD_EXEC_PID: '4000' } };
  t.match(placeObstacle(started), /Type=notify and NotifyAccess=all/);
  const env = { ...started.env, NOTIFY_SOCKET: '/run/systemd/notify' };
  t.equal(placeObstacle({ ...started, env }), null);
  t.end();
});

import { startDirect } from './direct-target.ts';
import { startHaproxy } from './haproxy-target.ts';
import { startProxysql } from './proxysql-target.ts';
import { startBase, startSluice } from './sluice-target.ts';
import { type Target, TargetName, type TargetOptions } from './target.ts';

const STARTERS: Readonly<Record<TargetName, (options: TargetOptions) => Promise<Target>>> = {
  [TargetName.direct]: startDirect,
  [TargetName.haproxy]: startHaproxy,
  [TargetName.sluice]: startSluice,
  [TargetName.base]: startBase,
  [TargetName.proxysql]: startProxysql,
};

export function startTarget(name: TargetName, options: TargetOptions): Promise<Target> {
  return STARTERS[name](options);
}

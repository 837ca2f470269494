/**
 * Whether a primary is dead, from signs that were gathered at one moment. Pure.
 *
 * The first row that matches decides. A primary that somebody else still hears is not dead, however little Sluice
 * hears of it: to promote another one beside it would make two.
 *
 * | row | own look | others                                               | verdict       | then                        |
 * |-----|----------|------------------------------------------------------|---------------|-----------------------------|
 * | 1   | answers  | any                                                  | alive         | nothing                     |
 * | 2   | fails    | another Sluice hears it                              | heard         | alarm                       |
 * | 3   | fails    | a replica has connected to it again just now         | heard         | alarm                       |
 * | 4   | fails    | no replicas are known                                | no-replicas   | alarm                       |
 * | 5   | fails    | too few of the known replicas answer                 | no-quorum     | alarm                       |
 * | 6   | fails    | a replica may hear it, which is not proven           | ask-replicas  | they connect to it again    |
 * | 7   | fails    | no replica has tried to reach it                     | no-witness    | alarm                       |
 * | 8   | fails    | every replica that tried has failed                  | dead          | fail over, if it lasts      |
 *
 * Nothing is judged, and nobody asked, by a Sluice that must not change servers (`not-ours`), or that cannot ask the
 * others (`unknown`).
 */

import type { ServerAddress } from './server-description.ts';

/** What an attempt to log in to the primary and to ask it something came to. */
export const OwnSign = {
  /** It said something, be it an error: it lives. */
  answers: 'answers',
  /** Its machine says that nobody listens. */
  refused: 'refused',
  /** Nothing came in time: frozen, or cut off. */
  silent: 'silent',
  /** Any other failure of the connection. */
  failed: 'failed',
} as const;
export type OwnSign = (typeof OwnSign)[keyof typeof OwnSign];

/** What one replica of the primary says of it. */
export const ReplicaSign = {
  /** The replica does not answer. */
  noAnswer: 'no-answer',
  /** Its IO thread runs; a frozen primary, or a cut line, is noticed by nobody for a minute. */
  claims: 'claims',
  /** Its IO thread was started in this investigation, and is connected. */
  hears: 'hears',
  /** Its IO thread tries, and does not get through. */
  lost: 'lost',
  /** Its IO thread is stopped, for whatever reason: it does not try. */
  stopped: 'stopped',
  /** It replicates from somebody else. */
  elsewhere: 'elsewhere',
} as const;
export type ReplicaSign = (typeof ReplicaSign)[keyof typeof ReplicaSign];

export interface ReplicaTestimony {
  readonly address: ServerAddress;
  readonly sign: ReplicaSign;
}

/** What another Sluice says of it: whether its own checks reach the primary. */
export interface PeerTestimony {
  readonly name: string;
  readonly hears: boolean;
}

/** How many of the known replicas have to answer. */
export const Quorum = { majority: 'majority', any: 'any' } as const;
export type Quorum = (typeof Quorum)[keyof typeof Quorum];

export interface DeathSigns {
  readonly own: OwnSign;
  readonly replicas: readonly ReplicaTestimony[];
  readonly peers: readonly PeerTestimony[];
}

export const DeathVerdict = {
  alive: 'alive',
  heard: 'heard',
  noReplicas: 'no-replicas',
  noQuorum: 'no-quorum',
  askReplicas: 'ask-replicas',
  noWitness: 'no-witness',
  dead: 'dead',
  notOurs: 'not-ours',
  unknown: 'unknown',
} as const;
export type DeathVerdict = (typeof DeathVerdict)[keyof typeof DeathVerdict];

export interface DeathDecision {
  readonly verdict: DeathVerdict;
  /** A phrase for people. */
  readonly reason: string;
}

function named(testimonies: readonly ReplicaTestimony[]): string {
  return testimonies.map(({ address }) => address).join(', ');
}

function ownWords(own: OwnSign): string {
  switch (own) {
    case OwnSign.answers:
      return 'it answers';
    case OwnSign.refused:
      return 'its connections are refused';
    case OwnSign.silent:
      return 'it does not answer in time';
    case OwnSign.failed:
      return 'connections to it fail';
  }
}

export function judgeDeath({ own, replicas, peers }: DeathSigns, quorum: Quorum): DeathDecision {
  const fails = ownWords(own);
  if (own === OwnSign.answers) return { verdict: DeathVerdict.alive, reason: fails };
  const peer = peers.find(({ hears }) => hears);
  if (peer !== undefined)
    return { verdict: DeathVerdict.heard, reason: `${fails}, but another Sluice, ${peer.name}, reaches it` };
  const ours = replicas.filter(({ sign }) => sign !== ReplicaSign.elsewhere);
  const withSign = (sign: ReplicaSign) => ours.filter((replica) => replica.sign === sign);
  const hearing = withSign(ReplicaSign.hears);
  if (hearing.length > 0)
    return {
      verdict: DeathVerdict.heard,
      reason: `${fails}, but ${named(hearing)} still replicates from it`,
    };
  if (ours.length === 0)
    return { verdict: DeathVerdict.noReplicas, reason: `${fails}, and no replica of it is known` };
  const mute = withSign(ReplicaSign.noAnswer);
  const answering = ours.length - mute.length;
  const isEnough = quorum === Quorum.any ? answering > 0 : answering * 2 > ours.length;
  if (!isEnough) {
    const of = `${answering} of its ${ours.length} known replicas answer, without ${named(mute)}`;
    return { verdict: DeathVerdict.noQuorum, reason: `${fails}, and only ${of}` };
  }
  const claiming = withSign(ReplicaSign.claims);
  if (claiming.length > 0)
    return { verdict: DeathVerdict.askReplicas, reason: `${fails}; ${named(claiming)} may still hear it` };
  const lost = withSign(ReplicaSign.lost);
  if (lost.length === 0) {
    const idle = named(withSign(ReplicaSign.stopped));
    return { verdict: DeathVerdict.noWitness, reason: `${fails}, and replication is stopped on ${idle}` };
  }
  return { verdict: DeathVerdict.dead, reason: `${fails}, and ${named(lost)} cannot reach it either` };
}

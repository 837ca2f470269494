/**
 * Which hostgroup a statement is for: values made once for each snapshot. What a hostgroup can decide is which servers
 * answer proven reads; everything else is the primary's, whatever the destination.
 */

import { HostgroupKind, MemberVerdict, type RuledHostgroup } from '../../topology/hostgroup-membership.ts';

/** Who has chosen it. */
export const DestinationSource = { user: 'user', rule: 'rule', hint: 'hint', mirror: 'mirror' } as const;
export type DestinationSource = (typeof DestinationSource)[keyof typeof DestinationSource];

export interface Destination {
  readonly source: DestinationSource;
  /** Whose members answer proven reads; null: the primary does. */
  readonly readers: number | null;
  /** Whether any of these is fit. */
  readonly hasReaders: boolean;
  /** None is, and what keeps some of them from it is their lag alone. */
  readonly isLagging: boolean;
  /** The hostgroup that the primary serves it in. */
  readonly writer: number;
  /** Sessions that are for it stay on one connection of the primary. */
  readonly keepsConnection: boolean;
}

const LAGGING: ReadonlySet<MemberVerdict> = new Set<MemberVerdict>([
  MemberVerdict.lagging,
  MemberVerdict.lagUnknown,
]);

type BySource = Readonly<Record<DestinationSource, Destination>>;

export class Destinations {
  #byHostgroup = new Map<number, BySource>();
  #first: BySource = destinationsOf(null, null, {
    hasReaders: false,
    isLagging: false,
    writer: 0,
    keepsConnection: false,
  });

  /** @param pair whose writer is meant where nothing is said. */
  update(
    hostgroups: readonly RuledHostgroup[],
    pair: { readonly writer: number; readonly reader: number },
  ): void {
    this.#byHostgroup = new Map();
    const fit = new Set<number>();
    const lagging = new Set<number>();
    const unshared = new Set<number>();
    for (const { id, members, multiplex } of hostgroups) {
      if (members.some(({ verdict }) => verdict === MemberVerdict.fit)) fit.add(id);
      else if (members.some(({ verdict }) => LAGGING.has(verdict))) lagging.add(id);
      if (!multiplex) unshared.add(id);
    }
    for (const { id, kind, pair: own } of hostgroups) {
      const writer = own?.writer ?? pair.writer;
      const forUser = kind === HostgroupKind.writer ? (own?.reader ?? null) : id;
      const isFit = forUser !== null && fit.has(forUser);
      const isWriter = kind === HostgroupKind.writer;
      const keepsConnection = isWriter && unshared.has(id);
      const destinations = destinationsOf(forUser, isWriter ? null : id, {
        hasReaders: isFit,
        isLagging: forUser !== null && lagging.has(forUser),
        writer,
        keepsConnection,
      });
      this.#byHostgroup.set(id, destinations);
    }
    this.#first =
      this.#byHostgroup.get(pair.writer) ??
      destinationsOf(pair.reader, null, {
        hasReaders: fit.has(pair.reader),
        isLagging: lagging.has(pair.reader),
        writer: pair.writer,
        keepsConnection: false,
      });
  }

  /** Null for a hostgroup that there is not. */
  of(hostgroup: number, source: DestinationSource): Destination | null {
    return this.#byHostgroup.get(hostgroup)?.[source] ?? null;
  }

  /** @param hostgroup of the account; null where it names none. */
  forUser(hostgroup: number | null): Destination {
    if (hostgroup === null) return this.#first.user;
    return (this.#byHostgroup.get(hostgroup) ?? this.#first).user;
  }
}

/**
 * @param forUser readers where an account is for the hostgroup: with a writer its statements are split over the pair.
 * @param readers where a rule or a hint names it: a writer is the primary then.
 */
function destinationsOf(
  forUser: number | null,
  readers: number | null,
  more: Pick<Destination, 'hasReaders' | 'isLagging' | 'writer' | 'keepsConnection'>,
): BySource {
  const isNamed = readers !== null;
  const named = {
    ...more,
    readers,
    hasReaders: isNamed && more.hasReaders,
    isLagging: isNamed && more.isLagging,
  };
  return {
    user: Object.freeze({ ...more, source: DestinationSource.user, readers: forUser }),
    rule: Object.freeze({ source: DestinationSource.rule, ...named }),
    hint: Object.freeze({ source: DestinationSource.hint, ...named }),
    mirror: Object.freeze({ source: DestinationSource.mirror, ...named }),
  };
}

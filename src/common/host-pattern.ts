/**
 * The host part of an account: which clients it is for, and which of two is more specific. As servers do it
 * (`get_sort` and `compare_hostname` of their sql_acl.cc): `%` and `_` are wildcards, `\` escapes them;
 * `192.168.1.0/255.255.255.0` is a netmask, `192.168.1.0/24` a MySQL 8 one; `''` is `%`. A pattern is compared with the
 * client's name, without regard to case, and with its address.
 */

import { BlockList, isIP, isIPv4 } from 'node:net';

/** Where a client comes from. Names are not looked up: `name` is `localhost`, or null. */
export interface ClientHost {
  readonly name: string | null;
  /** As text; null for a Unix socket. */
  readonly address: string | null;
}

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1)$/;
const IPV4_IN_IPV6 = /^::ffff:(?=\d{1,3}(?:\.\d{1,3}){3}$)/i;
const MOST_GENERAL = 128;
const LATEST_WILDCARD = 127;
/** Of the column that keeps the pattern. */
const MAX_HOST_LENGTH = 255;

/**
 * @param remoteAddress of the socket; '' for a Unix socket
 * @param resolvesLoopback whether loopback addresses have the name `localhost`, as on servers without
 *   `skip_name_resolve`
 */
export function clientHostOf(remoteAddress: string, resolvesLoopback: boolean): ClientHost {
  if (remoteAddress === '') return { name: 'localhost', address: null };
  const address = remoteAddress.replace(IPV4_IN_IPV6, '');
  return { name: resolvesLoopback && LOOPBACK.test(address) ? 'localhost' : null, address };
}

/** As servers name it in messages. */
export function hostText({ name, address }: ClientHost): string {
  return name ?? address ?? 'localhost';
}

export function hostMatches(pattern: string, { name, address }: ClientHost): boolean {
  const wanted = pattern === '' ? '%' : pattern;
  if (address !== null && wanted.includes('/')) {
    const inside = isInNetwork(wanted, address);
    if (inside !== null) return inside;
  }
  if (name !== null && matchesWildcards(wanted.toLowerCase(), name.toLowerCase())) return true;
  return address !== null && matchesWildcards(wanted, address);
}

/** Whose rule says which of two patterns is looked at first. */
export type PatternOrder = 'mysql' | 'mariadb';

/** Negative where `left` is more specific, positive where `right` is, 0 where servers leave it to chance. */
export function compareHosts(left: string, right: string, order: PatternOrder): number {
  const generality = order === 'mariadb' ? mariadbGenerality : mysqlGenerality;
  const [first, second] = [generality(left || '%'), generality(right || '%')];
  for (const [index, value] of first.entries()) {
    if (value !== second[index]) return value - second[index]!;
  }
  return 0;
}

interface Symbols {
  /** Characters that stand for themselves, in all and in front of the first wildcard. */
  readonly literals: number;
  readonly prefix: number;
  /** Runs of `%` count once. */
  readonly many: number;
  readonly one: number;
  /** Of the first wildcard, in the text as it is written; -1 for none. */
  readonly firstAt: number;
}

function symbolsOf(pattern: string): Symbols {
  let [literals, many, one, prefix, firstAt] = [0, 0, 0, 0, -1];
  for (let i = 0; i < pattern.length; i++) {
    const symbol = pattern[i];
    if (symbol !== '%' && symbol !== '_') {
      if (symbol === '\\' && i + 1 < pattern.length) i++;
      literals++;
      continue;
    }
    if (firstAt === -1) {
      firstAt = i;
      prefix = literals;
    }
    if (symbol === '_') one++;
    else if (pattern[i - 1] !== '%' || i === 0) many++;
  }
  return { literals, many, one, prefix, firstAt };
}

/** No wildcard, else the later the first one stands; a lone `%` comes last. */
function mysqlGenerality(pattern: string): readonly number[] {
  const { firstAt } = symbolsOf(pattern);
  if (firstAt === -1) return [0];
  return [pattern === '%' ? MOST_GENERAL : MOST_GENERAL - Math.min(firstAt + 2, LATEST_WILDCARD)];
}

/** By how many texts match (`get_magic_sort` of MariaDB's sql_acl.cc). */
function mariadbGenerality(pattern: string): readonly number[] {
  const { literals, many, one, prefix } = symbolsOf(pattern);
  const manyLength = many === 0 ? 0 : MAX_HOST_LENGTH - literals - one;
  if (manyLength > one) return [2 * manyLength + 1, many, one, prefix];
  return [2 * one, manyLength, many, prefix];
}

/** Of two patterns without wildcards the one with the longer mask, or without one, is more specific (MySQL 8.0.23). */
export function maskBitsOf(pattern: string): number {
  const slash = pattern.indexOf('/');
  if (slash === -1) return 128;
  const mask = pattern.slice(slash + 1);
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  return isIPv4(mask) ? toNumber(mask).toString(2).replaceAll('0', '').length : 0;
}

/** Null for a text that is no network. */
function isInNetwork(pattern: string, address: string): boolean | null {
  const slash = pattern.indexOf('/');
  const base = pattern.slice(0, slash);
  const mask = pattern.slice(slash + 1);
  const family = isIP(base);
  if (family === 0) return null;
  if (isIPv4(mask) && family === 4) {
    // Servers compare the masked address with the base as it stands: one with bits beyond the mask matches nobody.
    return isIPv4(address) && (toNumber(address) & toNumber(mask)) >>> 0 === toNumber(base);
  }
  if (!/^\d{1,3}$/.test(mask) || Number(mask) > (family === 4 ? 32 : 128)) return null;
  if (isIP(address) !== family) return false;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  const network = new BlockList();
  network.addSubnet(base, Number(mask), name);
  return network.check(address, name);
}

function toNumber(ipv4: string): number {
  return ipv4.split('.').reduce((number, part) => ((number << 8) | Number(part)) >>> 0, 0);
}

/** Linear in the text for each `%`: nobody can make it slow by a pattern. */
function matchesWildcards(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let afterMany = -1;
  let resumeAt = 0;
  while (t < text.length) {
    const symbol = pattern[p];
    if (symbol === '%') {
      afterMany = ++p;
      resumeAt = t;
      continue;
    }
    const literal = symbol === '\\' && p + 1 < pattern.length ? pattern[p + 1] : symbol;
    const isEscaped = literal !== symbol || symbol === '\\';
    if (symbol !== undefined && ((symbol === '_' && !isEscaped) || literal === text[t])) {
      p += isEscaped && p + 1 < pattern.length ? 2 : 1;
      t++;
    } else if (afterMany >= 0) {
      p = afterMany;
      t = ++resumeAt;
    } else return false;
  }
  while (pattern[p] === '%') p++;
  return p >= pattern.length;
}

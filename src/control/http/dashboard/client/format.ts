/** Numbers and times as people read them. Pure. */

const NOT_KNOWN = '–';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const two = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** 12,345 or 123.4k or 4.5M. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOT_KNOWN;
  if (value >= 999_950) return `${one.format(value / 1_000_000)}M`;
  if (value >= 100_000) return `${one.format(value / 1000)}k`;
  return whole.format(value);
}

export function exact(value: number): string {
  return whole.format(value);
}

/** Per second: with a digit behind the point where it is small. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOT_KNOWN;
  return value > 0 && value < 10 ? one.format(value) : count(value);
}

export function percent(part: number | null | undefined): string {
  if (part === null || part === undefined) return NOT_KNOWN;
  if (part > 0 && part < 0.0005) return '< 0.1 %';
  return `${part > 0 && part < 0.1 ? one.format(part * 100) : whole.format(part * 100)} %`;
}

/** Of some work: µs, ms or s. */
export function micros(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOT_KNOWN;
  if (value < 1000) return `${whole.format(value)} µs`;
  if (value < 10_000) return `${two.format(value / 1000)} ms`;
  if (value < 1_000_000) return `${whole.format(value / 1000)} ms`;
  return `${one.format(value / 1_000_000)} s`;
}

export function millis(value: number | null | undefined): string {
  return value === null || value === undefined ? NOT_KNOWN : micros(value * 1000);
}

/** How long something has lasted: the two largest units. */
export function age(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NOT_KNOWN;
  if (ms < 1000) return `${whole.format(Math.max(0, ms))} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${pad(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytesPerSecond(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOT_KNOWN;
  if (value < 1000) return `${whole.format(value)} B/s`;
  if (value < 1_000_000) return `${one.format(value / 1000)} kB/s`;
  return `${one.format(value / 1_000_000)} MB/s`;
}

/** Of the day, in the viewer's zone. */
export function clock(timeMs: number): string {
  const time = new Date(timeMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(pad).join(':');
}

export function date(timeMs: number): string {
  const time = new Date(timeMs);
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${clock(timeMs)}`;
}

/** `10.11.6-MariaDB` of `5.5.5-10.11.6-MariaDB-0+deb12u1-log`. */
export function serverVersion(version: string): string {
  if (version === '') return 'version not known';
  const text = version.replace(/^5\.5\.5-(?=1\d\.)/, '');
  const mariadb = /^([0-9.]+)-MariaDB/.exec(text);
  if (mariadb !== null) return `MariaDB ${mariadb[1]}`;
  const mysql = /^[0-9.]+/.exec(text);
  return mysql === null ? version : `MySQL ${mysql[0]}`;
}

export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Reads a file of libconfig, and those that it includes. */
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { ConfigSyntaxError, type Place } from './config-syntax-error.ts';
import { Lexer, type Token, TokenKind } from './lexer.ts';
import { parseSettings } from './parser.ts';
import type { Setting } from './tree.ts';

/** All files together: a configuration of 10,000 rules has 5 MB. */
const MAX_BYTES = 64 * 1024 * 1024;
/** libconfig's own limit. */
const MAX_INCLUDES_DEEP = 10;

export interface SettingsFile {
  readonly settings: readonly Setting[];
  /** In the order of their reading. */
  readonly files: readonly string[];
}

/** A file that cannot be read at all; the message says which one, and why. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it';
    case 'EISDIR':
      return 'it is a folder';
    case 'ELOOP':
      return 'its symbolic links lead in a circle';
    default:
      return `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`;
  }
}

/** The place of a byte. */
function placeAt(file: string, bytes: Buffer, offset: number): Place {
  const before = bytes.subarray(0, offset);
  const lineStart = before.lastIndexOf(0x0a) + 1;
  const line = before.reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 1);
  return { file, line, column: offset - lineStart + 1 };
}

/** @throws ConfigSyntaxError for what is no text */
function textOf(file: string, bytes: Buffer): string {
  const zero = bytes.indexOf(0);
  if (zero !== -1)
    throw new ConfigSyntaxError(
      placeAt(file, bytes, zero),
      'this is no text but a binary file (a zero byte)',
    );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const place = placeAt(file, bytes, firstForeignByte(bytes));
    throw new ConfigSyntaxError(place, 'this is not UTF-8: convert the file, or it is a binary one');
  }
}

/** Halves the distance; what is decoded up to a byte may lack the end of a character, three bytes at most. */
function firstForeignByte(bytes: Buffer): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      decoder.decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  while (!isUtf8(bytes.subarray(0, good))) good--;
  return good;
}

interface OpenFile {
  readonly lexer: Lexer;
  readonly path: string;
  readonly folder: string;
}

/** The tokens of a file with those of the included ones in their places. */
class FileTokens {
  readonly files: string[] = [];
  readonly #open: OpenFile[] = [];
  #bytes = 0;

  /** @throws ConfigFileError, ConfigSyntaxError */
  enter(name: string, from: Place | null): void {
    const fail = (message: string): never => {
      if (from !== null) throw new ConfigSyntaxError(from, `@include of ${name}: ${message}`);
      throw new ConfigFileError(`${name}: ${message}`);
    };
    if (this.#open.length > MAX_INCLUDES_DEEP)
      fail(`files include each other more than ${MAX_INCLUDES_DEEP} deep`);
    const { path, bytes } = this.#read(name, fail);
    if (this.#open.some((file) => file.path === path)) fail('this file includes itself');
    this.#open.push({ lexer: new Lexer(name, textOf(name, bytes)), path, folder: dirname(name) });
    this.files.push(name);
  }

  #read(name: string, fail: (message: string) => never): { path: string; bytes: Buffer } {
    let descriptor: number | null = null;
    try {
      const path = realpathSync(name);
      // A pipe would be waited for.
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const status = fstatSync(descriptor);
      if (!status.isFile()) fail(status.isDirectory() ? 'it is a folder' : 'it is no file');
      this.#bytes += status.size;
      if (this.#bytes > MAX_BYTES) fail(`these are more than ${MAX_BYTES / 1024 / 1024} MiB`);
      return { path, bytes: readFileSync(descriptor) };
    } catch (error) {
      if (error instanceof ConfigFileError || error instanceof ConfigSyntaxError) throw error;
      return fail(reasonOf(error));
    } finally {
      if (descriptor !== null) closeSync(descriptor);
    }
  }

  next(): Token {
    for (;;) {
      const file = this.#open.at(-1)!;
      const token = file.lexer.next();
      if (token.kind === TokenKind.include) {
        const name = String(token.value);
        this.enter(isAbsolute(name) ? name : join(file.folder, name), token.place);
      } else if (token.kind === TokenKind.end && this.#open.length > 1) {
        this.#open.pop();
      } else {
        return token;
      }
    }
  }
}

/** @throws ConfigFileError, ConfigSyntaxError */
export function readSettingsFile(name: string): SettingsFile {
  const tokens = new FileTokens();
  tokens.enter(name, null);
  return { settings: parseSettings(() => tokens.next()), files: tokens.files };
}

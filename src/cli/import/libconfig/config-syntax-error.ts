/** Where something stands in a file; both count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** A file that cannot be read as one of libconfig; the message never repeats a value, as that may be a password. */
export class ConfigSyntaxError extends Error {
  override readonly name = 'ConfigSyntaxError';
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(`${formatPlace(place)}: ${message}`);
    this.place = place;
  }
}

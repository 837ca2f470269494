/** What the name of a column, setting or variable says of its value. */

const SENSITIVE = /passw|passphrase|pwd|secret|credential|token|private|_key\b|-key\b|authdata|scramble/i;

/** Whether a value of this name, or anything in a text with such names, must not be shown. */
export function isSensitiveName(name: string): boolean {
  return SENSITIVE.test(name);
}

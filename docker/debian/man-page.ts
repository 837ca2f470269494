/**
 * The manual page, made from what `sluice --help` prints, so that it cannot say anything else: roff with the macros of man(7).
 *
 * Of the help's lines, `  --name VALUE   text` become tagged paragraphs, lines that end with a colon and have such lines behind
 * them headings, what is indented otherwise examples, and the rest paragraphs.
 */

export interface ManPageParts {
  readonly help: string;
  readonly version: string;
  /** Of the page: year, month and day. */
  readonly date: string;
}

const TERM = /^ {2,6}(\S.*?)(?: {2,}(\S.*))?$/;

const CLOSING = `.SH FILES
.TP
.I /etc/sluice/sluice.yaml
What the service of systemd is configured with. The group
.B sluice\\-config
may read it.
.TP
.I /var/lib/sluice
What the admin port has saved, and history for the dashboard, if
.B dataDir
says so.
.SH EXIT STATUS
.TP
.B 0
All is well; the service was stopped by a signal and everything was closed.
.TP
.B 1
It failed.
.TP
.B 2
The configuration or the command line is wrong, or the machine lacks something that is named; starting again does not help.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1)
.PP
/usr/share/doc/sluice has the user's page, and an example with all settings.
`;

/** Text that roff takes for nothing else. */
export function escapeRoff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (char) => `\\[u${char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

export function manPage({ help, version, date }: ManPageParts): string {
  const lines = help.trimEnd().split('\n');
  const usage = lines.indexOf('');
  const synopsis = lines.slice(0, usage).map((line) => line.replace(/^(Usage:)? +/, ''));
  const output = [
    `.TH SLUICE 8 ${date} "sluice ${version}" "System administration"`,
    '.SH NAME',
    'sluice \\- SQL proxy for MySQL and MariaDB',
    '.SH SYNOPSIS',
    '.nf',
    ...synopsis.map(escapeRoff),
    '.fi',
    '.SH DESCRIPTION',
    ...bodyOf(lines.slice(usage + 1)),
  ];
  return `${output.join('\n')}\n${CLOSING}`;
}

function bodyOf(lines: readonly string[]): string[] {
  const output: string[] = [];
  /** A tag that still has no text: that stands on the next line. */
  let isOpen = false;
  for (const [index, line] of lines.entries()) {
    const isTagged = lines[index + 1]?.startsWith('  ') === true;
    const [, term, text] = TERM.exec(line) ?? [];
    if (line === '') {
      if (output.at(-1) !== '.PP') output.push('.PP');
    } else if (line.endsWith(':') && !line.startsWith(' ') && isTagged) {
      output.push(`.SH ${line.slice(0, -1).toUpperCase()}`);
    } else if (term !== undefined && (text !== undefined || isTagFor(term, lines[index + 1]))) {
      output.push('.TP', `.B ${escapeRoff(term)}`);
      if (text !== undefined) output.push(escapeRoff(text));
      isOpen = true;
      continue;
    } else if (isOpen && /^ {10,}/.test(line)) {
      output.push(escapeRoff(line.trim()));
      continue;
    } else if (line.startsWith('  ')) {
      output.push('.nf', escapeRoff(line.trim()), '.fi');
    } else output.push(escapeRoff(line));
    isOpen = false;
  }
  return output;
}

/** A term too long for its column has its text on the next line. */
function isTagFor(term: string, next: string | undefined): boolean {
  return term.startsWith('-') && next !== undefined && /^ {20,}\S/.test(next);
}

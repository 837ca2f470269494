/** A table for a terminal: the first columns are words, flush left, the others numbers, flush right. */
export function renderTable(
  header: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  leftColumns: number,
): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column < leftColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** Three significant digits at least, no exponent: `0.123`, `4.56`, `78.9`, `12345`. `–` for undefined. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1) return value.toFixed(3);
  if (size < 10) return value.toFixed(2);
  if (size < 100) return value.toFixed(1);
  return value.toFixed(0);
}

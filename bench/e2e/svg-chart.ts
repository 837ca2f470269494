/** Bar charts as SVG text: panels below each other, groups of bars in each, one colour for each series. */

export interface ChartPanel {
  readonly title: string;
  readonly groups: readonly ChartGroup[];
}

export interface ChartGroup {
  readonly label: string;
  readonly bars: readonly ChartBar[];
}

export interface ChartBar {
  readonly series: string;
  readonly value: number;
  /** What stands at the bar's end. */
  readonly text: string;
}

const WIDTH = 960;
const LABEL_WIDTH = 300;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 14;
const BAR_GAP = 2;
const GROUP_GAP = 10;
const TITLE_HEIGHT = 34;
const LEGEND_HEIGHT = 40;
const COLOURS = ['#8a8f98', '#3f78b5', '#d9822b', '#5c9e5a', '#9b5fb0'];

/** Bars are horizontal and begin at 0; each panel has its own scale. */
export function renderBarCharts(heading: string, panels: readonly ChartPanel[]): string {
  const series = [
    ...new Set(panels.flatMap(({ groups }) => groups.flatMap(({ bars }) => bars.map((bar) => bar.series)))),
  ];
  const colourOf = new Map(series.map((name, index) => [name, COLOURS[index % COLOURS.length]!]));
  const parts: string[] = [legend(heading, colourOf)];
  let top = LEGEND_HEIGHT;
  for (const panel of panels) {
    parts.push(renderPanel(panel, top, colourOf));
    top += panelHeight(panel);
  }
  const height = top + GROUP_GAP;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
    `font-family="system-ui, sans-serif" font-size="12">\n` +
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>\n${parts.join('\n')}\n</svg>\n`
  );
}

function legend(heading: string, colourOf: ReadonlyMap<string, string>): string {
  const entries = [...colourOf].map(
    ([name, colour], index) =>
      `<rect x="${LABEL_WIDTH + index * 110}" y="14" width="12" height="12" fill="${colour}"/>` +
      `<text x="${LABEL_WIDTH + 18 + index * 110}" y="24">${escapeXml(name)}</text>`,
  );
  return `<text x="12" y="24" font-size="16" font-weight="600">${escapeXml(heading)}</text>${entries.join('')}`;
}

function panelHeight({ groups }: ChartPanel): number {
  return groups.reduce((sum, group) => sum + groupHeight(group), TITLE_HEIGHT);
}

function groupHeight({ bars }: ChartGroup): number {
  return bars.length * (BAR_HEIGHT + BAR_GAP) + GROUP_GAP;
}

function renderPanel(panel: ChartPanel, top: number, colourOf: ReadonlyMap<string, string>): string {
  const largest = Math.max(0, ...panel.groups.flatMap(({ bars }) => bars.map((bar) => bar.value)));
  const scale = largest === 0 ? 0 : (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / largest;
  const parts = [
    `<text x="12" y="${top + 22}" font-size="14" font-weight="600">${escapeXml(panel.title)}</text>`,
  ];
  let y = top + TITLE_HEIGHT;
  for (const group of panel.groups) {
    const middle = y + (groupHeight(group) - GROUP_GAP) / 2 + 4;
    parts.push(
      `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${escapeXml(group.label)}</text>`,
    );
    for (const bar of group.bars) {
      const width = Math.max(0, bar.value * scale).toFixed(1);
      parts.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" fill="${colourOf.get(bar.series)}"/>` +
          `<text x="${(LABEL_WIDTH + Number(width) + 5).toFixed(1)}" y="${y + 11}" font-size="11">${escapeXml(bar.text)}</text>`,
      );
      y += BAR_HEIGHT + BAR_GAP;
    }
    y += GROUP_GAP;
  }
  return parts.join('\n');
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

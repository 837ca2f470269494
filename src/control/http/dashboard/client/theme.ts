/** Dark, light, or as the system has it. */

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'sluice-theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];
const listeners = new Set<() => void>();

export function currentTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return ORDER.find((theme) => theme === stored) ?? 'system';
  } catch {
    // Storage may be forbidden.
    return 'system';
  }
}

export function applyTheme(theme: Theme = currentTheme()): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/** @returns the theme that holds now */
export function switchTheme(): Theme {
  const next = ORDER[(ORDER.indexOf(currentTheme()) + 1) % ORDER.length] ?? 'system';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // It holds until the page is left.
  }
  applyTheme(next);
  return next;
}

/** What is painted by script has to be painted again. */
export function onThemeChange(listener: () => void): void {
  listeners.add(listener);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listener);
}

/** The colour behind a name such as `--accent`, as it is now. */
export function colorOf(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const SIGNIFICANT_DIGITS = 15;

/** A number with a fraction as SQLite writes it into a text: `1.0`, `0.25`, `1.0e+20`. */
export function realText(value: number): string {
  if (Number.isNaN(value)) return '';
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : '-Inf';
  if (value === 0) return '0.0';
  const [digits, exponentText] = value.toExponential(SIGNIFICANT_DIGITS - 1).split('e') as [string, string];
  const exponent = Number(exponentText);
  const short = digits.replace(/\.?0+$/, '');
  if (exponent >= -4 && exponent < SIGNIFICANT_DIGITS) {
    const fixed = value.toFixed(Math.max(SIGNIFICANT_DIGITS - 1 - exponent, 0)).replace(/0+$/, '');
    return fixed.endsWith('.') ? `${fixed}0` : fixed.includes('.') ? fixed : `${value.toFixed(0)}.0`;
  }
  const mantissa = short.includes('.') ? short : `${short}.0`;
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/**
 * What a text must hold for a regular expression to match: found without compiling it, so that of a thousand rules
 * only those few are compiled, and tried, whose words are in the text.
 */

/** Letters are compared in capitals whatever the modifiers: that can only let more through. */
const PLAIN = /[A-Za-z0-9_ @`'",;=<>%&!~#:/-]/;
const MIN_LENGTH = 2;
/** Escapes that stand for the character itself. */
const PUNCTUATION = /[^A-Za-z0-9]/;

/**
 * The longest run of ASCII characters, in capitals, that every match contains; null if none is certain. Only what
 * stands outside of groups, classes and repetitions is looked at.
 */
export function requiredLiteral(pattern: string): string | null {
  if (pattern.includes('\\Q')) return null;
  let best = '';
  let run = '';
  const end = (): void => {
    if (run.length > best.length) best = run;
    run = '';
  };
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '|') return null;
    if (char === '(') {
      end();
      at = afterGroup(pattern, at);
      if (at < 0) return null;
    } else if (char === '[') {
      end();
      at = afterClass(pattern, at);
      if (at < 0) return null;
    } else if (char === '?' || char === '*' || char === '{') {
      // What stands before it may be missing.
      run = run.slice(0, -1);
      end();
      if (char === '{') {
        at = pattern.indexOf('}', at);
        if (at < 0) return null;
      }
    } else if (char === '\\') {
      const escaped = pattern[++at];
      if (escaped === undefined) return null;
      if (PUNCTUATION.test(escaped) && escaped <= '~') run += escaped;
      else {
        // A class, an edge or a code of a character: `\p{L}`, `\x{41}` and `\x41` go on behind the letter.
        if (!/[bBdDsSwWAz]/.test(escaped)) return null;
        end();
      }
    } else if (PLAIN.test(char)) run += char;
    else end();
  }
  end();
  return best.length < MIN_LENGTH ? null : best.toUpperCase();
}

/** Where the group that starts at `at` ends; below 0 if that is not clear. */
function afterGroup(pattern: string, at: number): number {
  let depth = 0;
  for (let here = at; here < pattern.length; here++) {
    const char = pattern[here];
    if (char === '\\') here++;
    else if (char === '[') {
      here = afterClass(pattern, here);
      if (here < 0) return -1;
    } else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return here;
  }
  return -1;
}

function afterClass(pattern: string, at: number): number {
  // A bracket in the first place is an ordinary character.
  let here = at + 1;
  if (pattern[here] === '^') here++;
  if (pattern[here] === ']') here++;
  for (; here < pattern.length; here++) {
    const char = pattern[here];
    if (char === '\\') here++;
    else if (char === '[' && pattern[here + 1] === ':') {
      here = pattern.indexOf(':]', here + 2) + 1;
      if (here === 0) return -1;
    } else if (char === ']') return here;
  }
  return -1;
}

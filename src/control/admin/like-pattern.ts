/** LIKE as MySQL means it: `%` is any text, `_` any character, a backslash takes their meaning away. */

type Part = { readonly character: string } | '%' | '_';

function partsOf(pattern: string): Part[] {
  const parts: Part[] = [];
  const characters = [...pattern.toLowerCase()];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '%' || character === '_') parts.push(character);
    else if (character === '\\') parts.push({ character: characters[++at] ?? '\\' });
    else parts.push({ character });
  }
  return parts;
}

/** Case does not matter. The time is at most the product of the two lengths. */
export function isLike(text: string, pattern: string): boolean {
  const parts = partsOf(pattern);
  const characters = [...text.toLowerCase()];
  let part = 0;
  let at = 0;
  /** Behind the last `%`, and how much of the text that one has taken. */
  let resumePart = -1;
  let resumeAt = 0;
  while (at < characters.length) {
    const wanted = parts[part];
    if (wanted === '%') {
      part += 1;
      resumePart = part;
      resumeAt = at;
    } else if (wanted === '_' || (wanted !== undefined && wanted.character === characters[at])) {
      part += 1;
      at += 1;
    } else if (resumePart >= 0) {
      resumeAt += 1;
      part = resumePart;
      at = resumeAt;
    } else return false;
  }
  while (parts[part] === '%') part += 1;
  return part === parts.length;
}

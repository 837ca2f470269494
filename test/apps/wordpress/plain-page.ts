/** Takes out of a page what differs between two visits at the same time: nonces, random ids, times of day. */

const RULES: ReadonlyArray<readonly [RegExp, string]> = [
  // Nonces, with and without a name in front.
  [/\b[0-9a-f]{10}\b/g, 'NONCE'],
  [/[\w/.-]*\/sluice-wordpress-\w+/g, 'SITE'],
  [/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\+\d{2}:\d{2}|Z)?/g, 'TIME'],
  [/\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+\d{4}/g, 'TIME'],
  [/\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?/gi, 'TIME'],
  [/\b1[789]\d{8}\b/g, 'UNIX-TIME'],
  [/\d+ (?:second|min)s?\b/g, 'A MOMENT'],
  [/\$P\$[\w./]{31}/g, 'HASH'],
  // Passwords that are proposed.
  [/(data-pw=")[^"]*|(id="pass1"[^>]*value=")[^"]*/g, '$1$2'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID'],
  [/\/\/[012]\.gravatar\.com|(?<=\/)[012]\.gravatar\.com/g, 'GRAVATAR'],
  [/<div class="(?:hh|mn|ss)">\d+|name="(?:cur_|hidden_)?(?:hh|mn|ss)" value="\d+/g, 'CLOCK'],
  [/uniqid=\w+|(?:wp-(?:container|elements|duotone)-)[0-9a-f]{13}\b/g, 'ID'],
];

export function plainPage(text: string): string {
  // Addresses of mail are hidden from robots by entities here and there, at random.
  const decoded = text.replaceAll(/&#(\d{2,3});/g, (_, code) => String.fromCharCode(Number(code)));
  return RULES.reduce((plain, [pattern, replacement]) => plain.replaceAll(pattern, replacement), decoded);
}

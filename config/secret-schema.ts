/** Passwords: text, or where the text is to be found, so that the configuration itself need not hold it. */
import * as z from 'zod';
import { describe, type SettingMeta } from './schema-parts.ts';

/** Where a secret stands; one of the two. */
export interface SecretReference {
  readonly file?: string | undefined;
  readonly env?: string | undefined;
}

export const SECRET_FORMS = 'expected text, {file: /path} or {env: NAME}';

const reference = z
  .strictObject({
    file: z.string().min(1).optional().meta({ description: 'Path of a file that holds the secret.' }),
    env: z.string().min(1).optional().meta({ description: 'Environment variable that holds the secret.' }),
  })
  .refine(({ file, env }) => (file === undefined) !== (env === undefined), SECRET_FORMS)
  .meta({ minProperties: 1, maxProperties: 1 });

/** The loader has put the text in the place of a reference before anything is parsed; see `secrets.ts`. */
function resolved(value: string | SecretReference, context: z.RefinementCtx): string {
  if (typeof value === 'string') return value;
  context.addIssue({ code: 'custom', message: 'the secret has not been read' });
  return z.NEVER;
}

const secretValue = z.union([z.string(), reference]);

export function password(meta: SettingMeta) {
  return describe(secretValue.transform(resolved), { ...meta, secret: true });
}

/**
 * A password that may be left out, but not be empty by accident: `password: #secret` is a comment in YAML, and
 * `password: &secret` a mark, both with nothing as the value.
 */
export function optionalPassword(meta: SettingMeta) {
  return describe(
    secretValue
      .optional()
      .transform((value, context) => (value === undefined ? null : resolved(value, context))),
    { ...meta, secret: true },
  );
}

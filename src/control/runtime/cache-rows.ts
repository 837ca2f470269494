/** The rules of the cache as rows of a table of Sluice's own. */

import { cacheRuleSchema } from '../../../config/cache-schema.ts';
import type { CacheRuleConfig } from '../../../config/schema.ts';
import type { SqlValue } from '../../common/admin-tables/admin-table.ts';
import {
  type ColumnMapping,
  flag,
  integer,
  optionalInteger,
  optionalText,
  text,
  textOf,
} from './column-mapping.ts';
import type { ElementMapping } from './element-mapping.ts';

/** Names with commas between them. */
function names(field: string): ColumnMapping {
  return {
    field,
    write: (value) => (value as readonly string[]).join(','),
    read: (value: SqlValue) =>
      value === null
        ? []
        : textOf(value)
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name !== ''),
  };
}

export const cacheRuleMapping: ElementMapping<CacheRuleConfig> = {
  table: 'sluice_cache_rules',
  key: ['rule_id'],
  columns: {
    rule_id: integer('ruleId'),
    active: flag('active'),
    username: optionalText('user'),
    schemaname: optionalText('schema'),
    digest: optionalText('digest'),
    match_digest: optionalText('matchDigest'),
    tables: names('tables'),
    class: {
      field: 'class',
      write: (value) => value as string,
      read: (value) => textOf(value).toLowerCase(),
    },
    ttl_ms: optionalInteger('ttlMs'),
    stale_while_revalidate_ms: integer('staleWhileRevalidateMs'),
    comment: text('comment'),
  },
  schema: cacheRuleSchema,
};

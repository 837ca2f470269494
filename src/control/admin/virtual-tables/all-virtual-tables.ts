import type { VirtualTable } from './virtual-table.ts';

/** A table that is filled on demand and is not in this list is empty. */
export const ALL_VIRTUAL_TABLES: readonly VirtualTable[] = [];

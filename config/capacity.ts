/** Places in the tables that the threads share; a test compares them with `src/common/shared-counters.ts`. */
export const MAX_WORKERS = 64;
export const MAX_SERVERS = 256;
export const MAX_USERS = 16_384;

export const MAX_CONNECTIONS = 1_000_000;
export const MAX_HOSTGROUP = 2_147_483_647;
/** Elements of a list of servers, where one server may be in several hostgroups. */
export const MAX_SERVER_ENTRIES = 4096;
export const MAX_QUERY_RULES = 100_000;
export const MAX_FAST_ROUTES = 1_000_000;
/** The largest `max_allowed_packet` of a server: what a server took before, Sluice must not refuse. */
export const MAX_PACKET_BYTES = 1_073_741_824;

/** Each worker compiles them at once. */
export const MAX_CACHE_RULES = 1000;

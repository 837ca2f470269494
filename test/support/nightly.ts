/** Whether this is the long run: `node test/run.ts --nightly`. */
export const isNightly = process.env.SLUICE_TEST_NIGHTLY === '1';

/** As the `skip` of a test that is for the long run only. */
export const skipByDay: string | false = isNightly ? false : 'with --nightly only';

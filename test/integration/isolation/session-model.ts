import type { SeededRandom } from '../../support/seeded-random.ts';

/** What a session must see of itself: what it set, and the server's defaults for the rest. */
export interface SessionModel {
  timeZone: string;
  groupConcatMaxLen: number;
  sqlMode: string;
  lcTimeNames: string;
  characterSet: string;
  schema: string;
}

export const SCHEMAS = ['iso_a', 'iso_b', 'iso_c'] as const;
export const TIME_ZONES = { '+00:00': '00', '+05:00': '05', '-03:00': '21', '+11:00': '11' } as const;
/** The name of May, and whether it is plain ASCII in any character set. */
export const LOCALES = { en_US: 'May', de_DE: 'Mai', fr_FR: 'mai', it_IT: 'maggio' } as const;
const SQL_MODES = ['', 'ANSI_QUOTES', 'PIPES_AS_CONCAT', 'PIPES_AS_CONCAT,ANSI_QUOTES'] as const;
const CHARACTER_SETS = ['utf8mb4', 'latin1', 'gbk', 'sjis'] as const;

type Variable = Exclude<keyof SessionModel, 'schema'>;

/** Changes some of the model at random; gives the statement that does the same to the session. */
export function randomChange(random: SeededRandom, model: SessionModel): string {
  const kinds: readonly Variable[] = ['timeZone', 'groupConcatMaxLen', 'sqlMode', 'lcTimeNames'];
  if (random.below(5) === 0) {
    model.characterSet = random.pick(CHARACTER_SETS);
    return `SET NAMES ${model.characterSet}`;
  }
  const chosen = kinds.filter(() => random.below(2) === 0);
  const assignments = (chosen.length === 0 ? [random.pick(kinds)] : chosen).map((kind) =>
    assign(random, model, kind),
  );
  return `SET ${assignments.join(', ')}`;
}

function assign(random: SeededRandom, model: SessionModel, kind: Variable): string {
  const scope = random.pick(['', 'SESSION ', '@@', '@@session.']);
  switch (kind) {
    case 'timeZone':
      model.timeZone = random.pick(Object.keys(TIME_ZONES));
      return `${scope}time_zone = '${model.timeZone}'`;
    case 'groupConcatMaxLen':
      model.groupConcatMaxLen = 10 + random.below(2000);
      return `${scope}group_concat_max_len = ${model.groupConcatMaxLen}`;
    case 'sqlMode':
      model.sqlMode = random.pick(SQL_MODES);
      return `${scope}sql_mode = '${model.sqlMode}'`;
    case 'lcTimeNames':
      model.lcTimeNames = random.pick(Object.keys(LOCALES));
      return `${scope}lc_time_names = '${model.lcTimeNames}'`;
    case 'characterSet':
      throw new Error('set by SET NAMES');
  }
}

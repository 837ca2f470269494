/** What a file of libconfig says. */
import type { Place } from './config-syntax-error.ts';

export type Scalar = string | number | bigint | boolean;

export interface ScalarValue {
  readonly kind: 'scalar';
  readonly value: Scalar;
  readonly place: Place;
}

/** `( … )`, or `[ … ]`, which holds nothing but scalars. */
export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly Value[];
  readonly place: Place;
}

/** `{ … }` */
export interface GroupValue {
  readonly kind: 'group';
  readonly settings: readonly Setting[];
  readonly place: Place;
}

export type Value = ScalarValue | ListValue | GroupValue;

export interface Setting {
  readonly name: string;
  readonly value: Value;
  /** Of the name. */
  readonly place: Place;
}

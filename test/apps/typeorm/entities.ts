import { DataSource, EntitySchema } from 'typeorm';
import { connectionSettings } from '../transcript.ts';

export interface Author {
  id: number;
  name: string;
  books?: Book[];
  profile?: Promise<Profile | null>;
}

export interface Profile {
  id: number;
  motto: string;
  author?: Promise<Author>;
}

export interface Book {
  id: string;
  title: string;
  price: string;
  version: number;
  deletedAt: Date | null;
  author?: Author | null;
  tags?: Tag[];
}

export interface Tag {
  slug: string;
  uses: number;
  books?: Book[];
}

export interface Specimen {
  id: string;
  json: unknown;
  simple: string[];
  at: Date | null;
  stamp: Date;
  day: string;
  year: number;
  amount: string;
  huge: string;
  real: number;
  kind: string;
  flags: string[];
  bytes: Buffer | null;
  text: string;
  short: string;
}

export const AuthorEntity = new EntitySchema<Author>({
  name: 'author',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    name: { type: 'varchar', length: 100, unique: true },
  },
  relations: {
    books: { type: 'one-to-many', target: 'book', inverseSide: 'author', cascade: true },
    profile: { type: 'one-to-one', target: 'profile', inverseSide: 'author', lazy: true },
  },
});

export const ProfileEntity = new EntitySchema<Profile>({
  name: 'profile',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    motto: { type: 'varchar' },
  },
  relations: {
    author: { type: 'one-to-one', target: 'author', inverseSide: 'profile', joinColumn: true, lazy: true },
  },
});

export const BookEntity = new EntitySchema<Book>({
  name: 'book',
  columns: {
    id: { type: 'bigint', unsigned: true, primary: true, generated: true },
    title: { type: 'varchar', length: 190 },
    price: { type: 'decimal', precision: 12, scale: 4, default: 0 },
    version: { type: 'int', version: true },
    deletedAt: { type: 'datetime', precision: 6, deleteDate: true, nullable: true },
  },
  indices: [{ columns: ['title', 'price'] }],
  relations: {
    author: {
      type: 'many-to-one',
      target: 'author',
      inverseSide: 'books',
      onDelete: 'CASCADE',
      nullable: true,
    },
    tags: { type: 'many-to-many', target: 'tag', inverseSide: 'books', joinTable: true, cascade: ['insert'] },
  },
});

export const TagEntity = new EntitySchema<Tag>({
  name: 'tag',
  columns: {
    slug: { type: 'varchar', length: 40, primary: true },
    uses: { type: 'int', default: 1 },
  },
  relations: { books: { type: 'many-to-many', target: 'book', inverseSide: 'tags' } },
});

export const SpecimenEntity = new EntitySchema<Specimen>({
  name: 'specimen',
  columns: {
    id: { type: 'varchar', length: 36, primary: true },
    json: { type: 'json', nullable: true },
    simple: { type: 'simple-array' },
    at: { type: 'datetime', precision: 6, nullable: true },
    stamp: { type: 'timestamp', precision: 3 },
    day: { type: 'date' },
    year: { type: 'year' },
    amount: { type: 'decimal', precision: 30, scale: 10 },
    huge: { type: 'bigint', unsigned: true },
    real: { type: 'double' },
    kind: { type: 'enum', enum: ['small', 'großer', '😀'] },
    flags: { type: 'set', enum: ['a', 'b', 'č'] },
    bytes: { type: 'longblob', nullable: true },
    text: { type: 'longtext' },
    short: { type: 'varchar', length: 200 },
  },
});

export function dataSource(poolSize: number): DataSource {
  return new DataSource({
    type: 'mysql',
    ...connectionSettings,
    charset: 'utf8mb4_unicode_ci',
    timezone: 'Z',
    bigNumberStrings: true,
    supportBigNumbers: true,
    poolSize,
    logging: false,
    entities: [AuthorEntity, ProfileEntity, BookEntity, TagEntity, SpecimenEntity],
  });
}

import { DataTypes, type Model, type ModelStatic, Sequelize } from 'sequelize';
import { connectionSettings } from '../transcript.ts';

/** Attributes are read and written by name; what they hold is in `defineModels`. */
export type Row = Model<Record<string, unknown>, Record<string, unknown>> & Record<string, unknown>;
export type Table = ModelStatic<Row>;

export interface Models {
  readonly Author: Table;
  readonly Book: Table;
  readonly Tag: Table;
  readonly Specimen: Table;
  readonly Counter: Table;
}

export function connect(poolSize: number): Sequelize {
  const { host, port, username, password, database } = connectionSettings;
  return new Sequelize({
    dialect: 'mysql',
    host,
    port,
    username,
    password,
    database,
    logging: false,
    timezone: '+02:00',
    pool: { max: poolSize, min: 0, acquire: 60_000 },
    define: { charset: 'utf8mb4', collate: 'utf8mb4_unicode_ci', timestamps: false },
  });
}

export function defineModels(sequelize: Sequelize): Models {
  const Author: Table = sequelize.define('author', {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    name: { type: DataTypes.STRING(100), allowNull: false, unique: 'author_name' },
    born: DataTypes.DATEONLY,
  });
  const Book: Table = sequelize.define(
    'book',
    {
      id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
      title: { type: DataTypes.STRING, allowNull: false },
      price: { type: DataTypes.DECIMAL(12, 4), defaultValue: 0 },
      inPrint: { type: DataTypes.BOOLEAN, defaultValue: true },
    },
    { version: true, indexes: [{ fields: ['title'] }] },
  );
  const Tag: Table = sequelize.define('tag', {
    slug: { type: DataTypes.STRING(40), primaryKey: true },
    uses: { type: DataTypes.INTEGER, defaultValue: 1 },
  });
  const Specimen: Table = sequelize.define('specimen', {
    id: { type: DataTypes.UUID, primaryKey: true },
    json: DataTypes.JSON,
    at: DataTypes.DATE(6),
    day: DataTypes.DATEONLY,
    clock: DataTypes.TIME,
    amount: DataTypes.DECIMAL(30, 10),
    huge: DataTypes.BIGINT.UNSIGNED,
    real: DataTypes.DOUBLE,
    kind: DataTypes.ENUM('small', 'großer', '😀'),
    bytes: DataTypes.BLOB('long'),
    text: DataTypes.TEXT('long'),
    short: DataTypes.STRING(200),
  });
  const Counter: Table = sequelize.define('counter', {
    name: { type: DataTypes.STRING(20), primaryKey: true },
    value: { type: DataTypes.INTEGER, allowNull: false },
  });
  Author.hasMany(Book, { foreignKey: { name: 'authorId', allowNull: false }, onDelete: 'CASCADE' });
  Book.belongsTo(Author, { foreignKey: { name: 'authorId', allowNull: false } });
  Book.belongsToMany(Tag, { through: 'book_tags', timestamps: false });
  Tag.belongsToMany(Book, { through: 'book_tags', timestamps: false });
  return { Author, Book, Tag, Specimen, Counter };
}

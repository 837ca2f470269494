# A small bookshop on ActiveRecord: migrations, associations, transactions, locks, a pool.

require_relative '../transcript'
require 'active_record'

ActiveRecord::Base.logger = nil
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.default_timezone = :utc
SETTINGS = {
  adapter: 'mysql2', encoding: 'utf8mb4', host: ENV['APP_HOST'], port: ENV['APP_PORT'].to_i, username: ENV['APP_USER'],
  password: ENV['APP_PASSWORD'], database: ENV['APP_SCHEMA'], prepared_statements: true, checkout_timeout: 60,
  variables: { sql_mode: 'TRADITIONAL', lock_wait_timeout: 50 }
}.freeze

class CreateShop < ActiveRecord::Migration[6.1]
  def change
    create_table :authors do |t|
      t.string :name, limit: 100, null: false, index: { unique: true }
      t.date :born
      t.integer :books_count, default: 0
      t.timestamps default: '2024-01-01 00:00:00'
    end
    create_table :books do |t|
      t.references :author, foreign_key: { on_delete: :cascade }
      t.string :title, limit: 190
      t.decimal :price, precision: 12, scale: 4, default: 0
      t.integer :lock_version, default: 0
      t.boolean :in_print, default: true
    end
    create_table(:tags) { |t| t.string :slug, limit: 40, index: { unique: true }; t.integer :uses, default: 1 }
    create_join_table(:books, :tags) { |t| t.index %i[book_id tag_id], unique: true }
    create_table(:counters) { |t| t.string :name; t.integer :value }
  end
end

class CreateSpecimens < ActiveRecord::Migration[6.1]
  def up
    create_table :specimens, id: :string, limit: 36 do |t|
      t.json :json
      t.datetime :at, precision: 6
      t.time :clock
      t.decimal :amount, precision: 30, scale: 10
      t.bigint :huge, unsigned: true
      t.float :real, limit: 53
      t.binary :data, limit: 1_048_576
      t.text :text, limit: 4_194_304
      t.string :short
    end
    execute "ALTER TABLE specimens COMMENT = 'vzorky'"
    add_column :authors, :land, :string, limit: 2, default: 'CZ', after: :name
    add_index :authors, %i[land born], name: 'land_born'
    change_column_null :tags, :slug, false
    rename_column :tags, :uses, :used
  end

  def down
    rename_column :tags, :used, :uses
    remove_index :authors, name: 'land_born'
    remove_column :authors, :land
    drop_table :specimens
  end
end

class Author < ActiveRecord::Base
  has_many :books, dependent: :destroy
  validates :name, uniqueness: true
end

class Book < ActiveRecord::Base
  belongs_to :author, counter_cache: true
  has_and_belongs_to_many :tags
end

class Tag < ActiveRecord::Base
  has_and_belongs_to_many :books
end

class Specimen < ActiveRecord::Base
  self.table_name = 'specimens'
end

class Counter < ActiveRecord::Base; end

def connect(pool)
  ActiveRecord::Base.establish_connection(SETTINGS.merge(pool: pool))
end

def migrate
  migrations = [CreateShop, CreateSpecimens].map.with_index(1) { |one, n| Class.new(ActiveRecord::Migration[6.1]) { define_method(:migrate) { |way| one.new.migrate(way) } }.new(one.name, n) }
  run = ->(way, target = nil) { ActiveRecord::Migrator.new(way, migrations, ActiveRecord::SchemaMigration, target).migrate.size }
  ActiveRecord::SchemaMigration.create_table
  say 'up', run.call(:up)
  say 'down', run.call(:down, 1)
  say 'up', run.call(:up)
  ActiveRecord::Base.descendants.each { |model| model.reset_column_information if model.name }
  db = ActiveRecord::Base.connection
  say 'tables', db.tables.sort
  say 'columns', db.columns(:books).map { |one| [one.name, one.sql_type, one.default, one.null] }
  say 'indexes', db.indexes(:authors).map { |one| [one.name, one.columns, one.unique] }
  say 'foreign keys', db.foreign_keys(:books).map { |one| [one.to_table, one.on_delete] }
  say 'create table', db.create_table_info('books') if db.respond_to?(:create_table_info)
end

def create_read_update_delete
  author = Author.create!(name: 'Karel Čapek', born: '1890-01-09')
  say 'created', author.id, Author.find(author.id).name
  say 'invalid', failure { Author.create!(name: 'Karel Čapek') }
  rows = (1..30).map { |n| { name: "author #{n}", born: Date.new(1900, 1, n) } }
  Author.insert_all!(rows)
  say 'found', Author.where('name LIKE ?', 'author 2%').where.not(id: 5).order(id: :desc).limit(3).pluck(:id, :name, :born)
  say 'count', Author.where(id: 3..20).count, Author.exists?(name: 'nobody'), Author.maximum(:born)
  Tag.upsert_all([{ slug: 'drama', used: 3 }, { slug: 'prose', used: 4 }])
  Tag.upsert_all([{ slug: 'drama', used: 30 }, { slug: 'verse', used: 5 }])
  Tag.insert_all([{ slug: 'drama', used: 1 }])
  say 'tags', Tag.order(:slug).pluck(:slug, :used)
  say 'update', Author.where(id: 1..4).update_all(born: nil), Author.where(id: 29).delete_all
  say 'increment', Tag.where(slug: 'verse').update_all('used = used + 10'), Tag.find_by(slug: 'verse').used
  say 'find or create', Tag.find_or_create_by!(slug: 'folk').previously_new_record?, Tag.create_or_find_by!(slug: 'folk').used
  say 'batches', Author.in_batches(of: 8).map(&:count), Author.find_each(batch_size: 10).sum(&:id)
  book = author.books.create!(title: 'R.U.R.', price: '12.5')
  stale = Book.find(book.id)
  book.update!(price: '13.75')
  say 'stale', failure { stale.update!(price: 1) }
  say 'book', Book.find(book.id)
end

def values
  Specimen.create!(
    id: '6f9619ff-8b86-d011-b42d-00cf4fc964ff', json: JSON.generate({ text: EMOJI, list: [1, 2.5, nil, true] }),
    at: Time.utc(2024, 3, 31, 0, 59, 59.123456r), clock: '23:59:58', amount: BigDecimal('12345678901234567890.0123456789'),
    huge: 2**64 - 1, real: 0.1 + 0.2, data: BYTES, text: LONG_TEXT, short: EMOJI
  )
  row = Specimen.first.attributes
  say 'values', row.merge('text' => Digest::SHA256.hexdigest(row['text']))
  say 'by emoji', Specimen.where(short: EMOJI).count, Specimen.where(data: BYTES).count
  say 'by time', Specimen.where(at: Time.utc(2024, 3, 31, 0)..Time.utc(2024, 3, 31, 1)).count
end

def relations
  tags = Tag.order(:slug).to_a
  author = Author.create!(name: 'Božena')
  (1..4).each { |n| author.books.create!(title: "Babička #{n}", price: n / 7r, tags: tags.first(n % 3)) }
  say 'counter cache', author.reload.books_count
  show = ->(books) { books.map { |one| [one.title, one.price, one.author.name, one.tags.map(&:slug).sort] } }
  say 'lazy', show.call(author.books.order(:id))
  %i[includes preload eager_load].each { |way| say way, show.call(Book.public_send(way, :author, :tags).order(:id)) }
  say 'joins', Author.joins(books: :tags).where(tags: { slug: 'drama' }).distinct.pluck(:name)
  say 'grouped', Book.joins(:tags).group('tags.slug').having('COUNT(*) > 1').order('tags.slug').count
  author.books.first.tags.delete_all
  author.books.last.tags << Tag.find_by(slug: 'verse')
  say 'destroyed', author.destroy.destroyed?, Book.count
end

def transactions
  Counter.create!(name: 'a', value: 1)
  Counter.transaction do
    Counter.update_all(value: 99)
    raise ActiveRecord::Rollback
  end
  say 'rolled back', Counter.pluck(:value)
  Counter.transaction do
    Counter.create!(name: 'outer', value: 1)
    Counter.transaction(requires_new: true) do
      Counter.create!(name: 'inner', value: 2)
      raise ActiveRecord::Rollback
    end
    say 'refused', failure { Counter.transaction(requires_new: true) { Tag.insert_all!([{ slug: 'drama' }]) } }
    Counter.transaction(requires_new: true) { Counter.create!(name: 'second', value: 4) }
  end
  say 'after all', Counter.order(:name).pluck(:name, :value)
  Counter.transaction(isolation: :read_committed) { say 'isolation', Counter.count }
  Counter.find_by(name: 'a').with_lock { say 'locked', Counter.lock('LOCK IN SHARE MODE').find_by(name: 'a').value }
  db = ActiveRecord::Base.connection
  say 'raw', db.select_all('SELECT 1 AS a, NULL AS b, 1.50 AS c').to_a, db.exec_query('SELECT ? AS x', 'x', [5]).rows
  say 'by sql', Author.find_by_sql(['SELECT * FROM authors WHERE name = ?', 'author 7']).map(&:name)
  say 'explain', Author.where(id: 1).explain.lines.size
  db.execute("SET @seen = 5")
  say 'variable', db.select_value('SELECT @seen + 1')
  db.reconnect!
  say 'advisory lock', db.get_advisory_lock('shop', 1), db.release_advisory_lock('shop')
  say 'syntax', failure { db.execute('SELEC 1') }
end

# What a job gave, for each of this many, on six threads.
def in_threads(count)
  queue = Queue.new
  count.times { |n| queue << n }
  results = Array.new(count)
  threads = Array.new(6) do
    Thread.new do
      loop do
        n = queue.pop(true)
        results[n] = ActiveRecord::Base.connection_pool.with_connection { yield n }
      rescue ThreadError
        break
      end
    end
  end
  threads.each(&:join)
  results
end

connect(1)
migrate
create_read_update_delete
values
relations
transactions
ActiveRecord::Base.remove_connection
sync
connect(6)
in_threads(20) do |n|
  Counter.transaction do
    counter = Counter.lock.find_by(name: 'a')
    counter.update!(value: counter.value + n)
    Counter.create!(name: "job #{n}", value: n)
  end
end
ActiveRecord::Base.remove_connection
sync
connect(6)
say 'counter', Counter.find_by(name: 'a').value
say 'reports', in_threads(30) { |n| [Counter.where(name: "job #{n}").pluck(:value), Author.where(id: n).pluck(:name), Tag.where('used > ?', n).sum(:used)] }
say 'end'

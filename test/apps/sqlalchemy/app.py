"""A small bookshop on SQLAlchemy with PyMySQL and mysqlclient: schema, ORM, transactions, locks, a pool."""

import datetime
import decimal
import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from transcript import BYTES, EMOJI, HOST, LONG_TEXT, PASSWORD, PORT, SCHEMA, USER, failure, say, sync

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    create_engine,
    func,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload, subqueryload

Base = declarative_base()

book_tags = Table(
    "book_tags",
    Base.metadata,
    Column("book_id", ForeignKey("book.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_slug", ForeignKey("tag.slug"), primary_key=True),
)


class Author(Base):
    __tablename__ = "author"
    id = Column(Integer, primary_key=True)
    name = Column(String(100), nullable=False, unique=True)
    born = Column(Date)
    books = relationship("Book", back_populates="author", cascade="all, delete-orphan", order_by="Book.id")


class Book(Base):
    __tablename__ = "book"
    id = Column(BigInteger, primary_key=True)
    title = Column(String(190), nullable=False)
    price = Column(Numeric(12, 4), server_default="0")
    author_id = Column(ForeignKey("author.id"))
    version = Column(Integer, nullable=False)
    author = relationship(Author, back_populates="books")
    tags = relationship("Tag", secondary=book_tags, order_by="Tag.slug", backref="books")
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (UniqueConstraint("title", "author_id"), Index("by_price", "price"))


class Tag(Base):
    __tablename__ = "tag"
    slug = Column(String(40), primary_key=True)
    uses = Column(Integer, default=1)


class Specimen(Base):
    __tablename__ = "specimen"
    id = Column(Integer, primary_key=True)
    json = Column(JSON)
    at = Column(mysql.DATETIME(fsp=6))
    stamp = Column(mysql.TIMESTAMP(fsp=3))
    day = Column(Date)
    clock = Column(Time)
    amount = Column(Numeric(30, 10))
    huge = Column(mysql.BIGINT(unsigned=True))
    real = Column(mysql.DOUBLE)
    kind = Column(Enum("small", "großer", "😀"))
    flags = Column(mysql.SET("a", "b", "č"))
    bits = Column(mysql.BIT(7))
    year = Column(mysql.YEAR)
    data = Column(mysql.LONGBLOB)
    text = Column(mysql.LONGTEXT)
    short = Column(String(200))


class Counter(Base):
    __tablename__ = "counter"
    name = Column(String(20), primary_key=True)
    value = Column(Integer, nullable=False)


def connect(driver, pool_size):
    query = {"charset": "utf8mb4"}
    url = URL.create(f"mysql+{driver}", USER, PASSWORD, HOST, PORT, SCHEMA, query)
    return create_engine(url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, future=True, isolation_level="READ COMMITTED")


def schema(engine):
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    look = inspect(engine)
    say("tables", look.get_table_names())
    for table in look.get_table_names():
        say(table, [[one["name"], str(one["type"]), one["nullable"]] for one in look.get_columns(table)])
        say("keys", [look.get_foreign_keys(table), look.get_indexes(table), look.get_pk_constraint(table)])
    reflected = MetaData()
    reflected.reflect(engine)
    say("reflected", sorted(reflected.tables))


def create_read_update_delete(engine):
    with Session(engine) as session:
        session.add_all([Author(name=f"author {n}", born=datetime.date(1900, 1, n)) for n in range(1, 29)])
        session.add(Author(name="Karel Čapek", books=[Book(title="R.U.R.", price=decimal.Decimal("12.5"))]))
        session.commit()
        like = select(Author).where(Author.name.like("author 2%")).order_by(Author.id.desc()).limit(3).offset(1)
        say("found", [[one.id, one.name, one.born] for one in session.scalars(like)])
        say("update", session.execute(update(Author).where(Author.id < 4).values(born=None)).rowcount)
        session.bulk_insert_mappings(Tag, [{"slug": f"tag {n}", "uses": n} for n in range(50)])
        insert = mysql.insert(Tag).values([{"slug": "tag 1", "uses": 70}, {"slug": "drama", "uses": 3}])
        say("upsert", session.execute(insert.on_duplicate_key_update(uses=insert.inserted.uses)).rowcount)
        session.query(Tag).filter(Tag.uses.between(30, 35)).delete(synchronize_session=False)
        session.commit()
        say("sums", session.execute(select(func.count(), func.sum(Tag.uses), func.avg(Tag.uses))).all())
        stale = session.query(Book).first()
        with Session(engine.execution_options()) as other:
            session.commit()
            book = other.query(Book).first()
            book.price += 1
            other.commit()
        stale.title = "R.U.R. (1920)"
        session.execute(text("UPDATE book SET version = version + 1"))
        say("stale", failure(session.flush))
        session.rollback()


def values(engine):
    with Session(engine) as session:
        session.add(
            Specimen(
                json={"text": EMOJI, "list": [1, 2.5, None, True]},
                at=datetime.datetime(2024, 3, 31, 1, 59, 59, 123456),
                stamp=datetime.datetime(2037, 12, 31, 23, 59, 59, 999000),
                day=datetime.date(2024, 2, 29),
                clock=datetime.time(23, 59, 58),
                amount=decimal.Decimal("12345678901234567890.0123456789"),
                huge=2**64 - 1,
                real=0.1 + 0.2,
                kind="großer",
                flags={"a", "č"},
                bits=0x5A,
                year=2155,
                data=BYTES,
                text=LONG_TEXT,
                short=EMOJI,
            )
        )
        session.commit()
        row = dict(session.execute(select(Specimen.__table__)).mappings().one())
        row["text"] = hashlib.sha256(row["text"].encode()).hexdigest()
        say("values", row)
        say("by emoji", session.query(Specimen).filter_by(short=EMOJI).count())
        say("by bytes", session.query(Specimen).filter(Specimen.data == BYTES).count())
        say("json", session.execute(select(Specimen.json["list"][1].as_float())).scalar())


def relations(engine):
    with Session(engine) as session:
        tags = session.query(Tag).order_by(Tag.uses).limit(3).all()
        books = [Book(title=f"Babička {n}", price=decimal.Decimal(n) / 7, tags=tags[:n]) for n in range(1, 5)]
        session.add(Author(name="Božena", books=books))
        session.commit()
    for strategy in [joinedload, selectinload, subqueryload]:
        with Session(engine) as session:
            query = select(Author).options(strategy(Author.books).options(strategy(Book.tags))).where(Author.name == "Božena")
            author = session.scalars(query).unique().one()
            say(strategy.__name__, [[one.title, one.price, [tag.slug for tag in one.tags]] for one in author.books])
    with Session(engine) as session:
        author = session.scalars(select(Author).filter_by(name="Božena")).one()
        say("lazy", [[one.title, [tag.slug for tag in one.tags]] for one in author.books])
        author.books[0].tags.clear()
        author.books.pop()
        session.commit()
        joined = select(Author.name, func.count(Book.id)).join(Book).group_by(Author.name).having(func.count(Book.id) > 1)
        say("joined", session.execute(joined).all())
        session.delete(author)
        session.commit()
        say("left", session.query(Book).count())


def transactions(engine):
    with Session(engine) as session:
        session.add(Counter(name="a", value=1))
        session.commit()
        session.query(Counter).update({"value": 99})
        session.rollback()
        say("rolled back", session.get(Counter, "a").value)
        session.add(Counter(name="outer", value=1))
        session.flush()

        def inner():
            with session.begin_nested():
                session.add(Counter(name="inner", value=2))
                with session.begin_nested():
                    session.execute(text("INSERT INTO counter VALUES ('inner', 3), ('inner', 4)"))

        say("savepoint", failure(inner))
        with session.begin_nested() as point:
            session.add(Counter(name="second", value=4))
            session.flush()
            point.rollback()
        session.commit()
        say("after all", session.query(Counter.name, Counter.value).order_by(Counter.name).all())
    for level in ["READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"]:
        with engine.connect().execution_options(isolation_level=level) as connection:
            say(level, [connection.get_isolation_level(), connection.execute(text("SELECT COUNT(*) FROM counter")).scalar()])
    with engine.connect() as connection:
        twophase = connection.execution_options(stream_results=True)
        result = twophase.execute(text("SELECT a.id, b.id FROM author a, author b ORDER BY 1, 2"))
        say("streamed", [list(map(tuple, result.fetchmany(3))), sum(1 for _ in result)])
        say("duplicate", failure(connection.execute, text("INSERT INTO tag VALUES ('drama', 1)")))
        say("syntax", failure(connection.execute, text("SELEC 1")))
        say("in order", connection.execute(text("SELECT :a, :b, :c"), {"a": EMOJI, "b": None, "c": 1.5}).one())
        say("last id", connection.execute(text("INSERT INTO author (name) VALUES ('last')")).lastrowid > 29)
        connection.commit()


def add(engine, n):
    with Session(engine) as session, session.begin():
        counter = session.get(Counter, "a", with_for_update=True)
        counter.value += n
        session.add(Counter(name=f"job {n}", value=n))


def report(engine, n):
    """Reads of a session that has written nothing."""
    with Session(engine) as session:
        return [
            session.query(Counter.value).filter_by(name=f"job {n}").all(),
            session.query(Author.name).filter(Author.id == n).all(),
            session.execute(select(func.count(), func.sum(Tag.uses)).where(Tag.uses > n)).all(),
        ]


for driver in ["pymysql", "mysqldb"]:
    say("driver", driver)
    engine = connect(driver, 2)
    for step in [schema, create_read_update_delete, values, relations, transactions]:
        step(engine)
    engine.dispose()
    sync()
    engine = connect(driver, 6)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: add(engine, n), range(20)))
        sync()
        engine.dispose()
        engine = connect(driver, 6)
        say("reports", list(threads.map(lambda n: report(engine, n), range(30))))
        with Session(engine) as session:
            say("counter", session.get(Counter, "a").value)
    engine.dispose()
say("end")

"""A small bookshop on Django: migrations, the ORM, transactions, locks, the cache and session tables."""

import datetime
import decimal
import hashlib
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from transcript import BYTES, EMOJI, HOST, LONG_TEXT, PASSWORD, PORT, SCHEMA, USER, failure, say, sync

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "HOST": HOST,
            "PORT": PORT,
            "USER": USER,
            "PASSWORD": PASSWORD,
            "NAME": SCHEMA,
            "CONN_MAX_AGE": 60,
            "OPTIONS": {"charset": "utf8mb4", "isolation_level": "read committed"},
        }
    },
    CACHES={"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_table"}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "bookshop",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SECRET_KEY="only for a test",
    USE_TZ=True,
    TIME_ZONE="Europe/Prague",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import Avg, Count, Exists, F, OuterRef, Prefetch, Q, Sum, Window
from django.db.models.functions import Lower, RowNumber, TruncMonth

from bookshop.models import Author, Book, Counter, Specimen, Tag

UTC = datetime.timezone.utc


def migrate():
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("migrate", "bookshop", "0001", verbosity=0)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        inspect = connection.introspection
        say("tables", sorted(inspect.table_names(cursor)))
        for table in ["bookshop_book", "bookshop_author", "bookshop_book_tags"]:
            say(f"columns of {table}", [list(map(str, one)) for one in inspect.get_table_description(cursor, table)])
            say(f"keys of {table}", inspect.get_relations(cursor, table))
            constraints = inspect.get_constraints(cursor, table)
            say(f"constraints of {table}", {name: constraints[name] for name in sorted(constraints)})
    say("permissions", Permission.objects.count())


def create_read_update_delete():
    author = Author.objects.create(name="Karel Čapek", born=datetime.date(1890, 1, 9))
    say("created", [author.pk, str(author)])
    made = Author.objects.bulk_create([Author(name=f"author {n}") for n in range(1, 31)], batch_size=7)
    say("bulk", len(made))
    say("found", list(Author.objects.filter(name__startswith="author 2").order_by("-id").values_list("id", "name")[1:4]))
    say("count", Author.objects.exclude(Q(name__contains="1") | Q(name__iendswith="2")).count())
    say("update", Author.objects.filter(name__regex="author [12]$").update(born=datetime.date(1900, 2, 3)))
    say("get or create", [Author.objects.get_or_create(name="author 7")[1], Author.objects.get_or_create(name="new")[1]])
    say("update or create", Tag.objects.update_or_create(slug="drama", defaults={"uses": 3})[1])
    say("update or create", Tag.objects.update_or_create(slug="drama", defaults={"uses": 9})[1])
    say("ignored", len(Tag.objects.bulk_create([Tag(slug="drama"), Tag(slug="prose")], ignore_conflicts=True)))
    tags = list(Tag.objects.all())
    for tag in tags:
        tag.uses += 5
    Tag.objects.bulk_update(tags, ["uses"])
    Tag.objects.filter(slug="prose").update(uses=F("uses") * 2)
    say("tags", list(Tag.objects.order_by("slug").values()))
    say("deleted", Author.objects.filter(name="author 30").delete())
    say("in bulk", sorted(Author.objects.in_bulk([1, 2, 3])))
    say("iterator", [one.pk for one in Author.objects.order_by("pk").iterator(chunk_size=10)][-3:])
    say("dates", list(Author.objects.dates("born", "year")))


def values():
    Specimen.objects.create(
        id="6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        json={"text": EMOJI, "list": [1, 2.5, None, True]},
        at=datetime.datetime(2024, 3, 31, 0, 59, 59, 123456, tzinfo=UTC),
        day=datetime.date(2024, 2, 29),
        clock=datetime.time(23, 59, 58, 5),
        span=datetime.timedelta(days=3, microseconds=7),
        amount=decimal.Decimal("12345678901234567890.0123456789"),
        huge=2**63 - 1,
        real=0.1 + 0.2,
        data=BYTES,
        text=LONG_TEXT,
        short=EMOJI,
        address="2001:db8::1",
        flag=True,
    )
    row = Specimen.objects.values().get()
    row["text"] = hashlib.sha256(row["text"].encode()).hexdigest()
    say("values", row)
    say("by emoji", Specimen.objects.filter(short=EMOJI).count())
    say("by json", Specimen.objects.filter(json__list__contains=2.5, json__text=EMOJI).count())
    say("by day", Specimen.objects.filter(at__year=2024, at__month=3, day__week_day=5).count())
    say("truncated", list(Specimen.objects.annotate(month=TruncMonth("day")).values_list("month", flat=True)))


def relations():
    author = Author.objects.create(name="Božena")
    tags = list(Tag.objects.order_by("slug"))
    for n in range(1, 5):
        book = Book.objects.create(title=f"Babička {n}", price=decimal.Decimal(n) / 7, author=author)
        book.tags.set(tags[: n % 3])
    say("lazy", [[book.title, book.author.name, [tag.slug for tag in book.tags.all()]] for book in author.book_set.order_by("pk")])
    eager = Book.objects.select_related("author").prefetch_related(Prefetch("tags", Tag.objects.order_by("slug")))
    say("eager", [[book.title, str(book.price), book.author.name, [tag.slug for tag in book.tags.all()]] for book in eager.order_by("pk")])
    say("through", list(Tag.objects.filter(book__author__name="Božena").distinct().order_by("slug").values_list("slug", flat=True)))
    say("aggregate", Book.objects.aggregate(Sum("price"), Avg("price"), Count("tags", distinct=True)))
    busy = Author.objects.annotate(n=Count("book")).filter(n__gt=1).values_list("name", "n")
    say("annotate", list(busy))
    say("exists", Author.objects.filter(Exists(Book.objects.filter(author=OuterRef("pk")))).count())
    say("union", sorted(Author.objects.filter(pk=1).values_list("name").union(Tag.objects.values_list("slug"))))
    ranked = Book.objects.annotate(rank=Window(RowNumber(), order_by=F("price").desc()))
    if connection.features.supports_over_clause:
        say("window", list(ranked.values_list("title", "rank").order_by("rank")))
    book = author.book_set.first()
    book.tags.add(tags[0], Tag.objects.create(slug="folk"))
    book.tags.remove(tags[0])
    book.tags.clear()
    say("explained", len(Book.objects.filter(author__name="x").explain()) > 0)
    say("cascade", author.delete())
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, %s, %s", [EMOJI, None, 1.5])
        say("raw", cursor.fetchall())
        cursor.executemany("INSERT INTO bookshop_tag (slug, uses) VALUES (%s, %s)", [(f"raw {n}", n) for n in range(5)])
        say("many", cursor.rowcount)
    say("raw models", [tag.slug for tag in Tag.objects.raw("SELECT * FROM bookshop_tag WHERE uses > %s ORDER BY slug", [2])])


def transactions():
    Counter.objects.create(name="a", value=0)
    with transaction.atomic():
        Counter.objects.filter(name="a").update(value=1)
        say("inside", list(Counter.objects.values_list("name", "value")))

    def change_mind():
        with transaction.atomic():
            Counter.objects.filter(name="a").update(value=99)
            raise ValueError("changed my mind")

    say("rolled back", failure(change_mind))
    with transaction.atomic():
        Counter.objects.create(name="outer", value=1)

        def inner():
            with transaction.atomic():
                Counter.objects.create(name="inner", value=2)
                with transaction.atomic():
                    Counter.objects.create(name="inner", value=3)

        say("savepoint", failure(inner))
        point = transaction.savepoint()
        Counter.objects.create(name="by hand", value=4)
        transaction.savepoint_rollback(point)
        transaction.on_commit(lambda: say("on commit"))
        locked = Counter.objects.select_for_update().get(name="a")
        locked.value += 10
        locked.save(update_fields=["value"])
    say("after all", list(Counter.objects.order_by("name").values_list("name", "value")))
    connection.set_autocommit(False)
    Counter.objects.filter(name="a").update(value=77)
    connection.rollback()
    connection.set_autocommit(True)
    say("without autocommit", Counter.objects.get(name="a").value)
    say("duplicate", failure(Tag.objects.create, slug="drama"))
    say("too long", failure(Tag.objects.create, slug="x" * 200))
    say("no parent", failure(Book.objects.create, title="x", price=1, author_id=4711))


def contrib():
    user = User.objects.create_user("jan", "jan@example.org", "tajné")
    group = Group.objects.create(name="editors")
    group.permissions.set(Permission.objects.order_by("pk")[:5])
    user.groups.add(group)
    user = User.objects.get(pk=user.pk)
    say("user", [user.check_password("tajné"), sorted(user.get_all_permissions())])
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session["cart"] = [1, EMOJI]
    session.save()
    say("session", SessionStore(session.session_key)["cart"])
    cache.set("key", {"a": EMOJI}, 600)
    cache.set_many({f"k{n}": n for n in range(20)})
    say("cache", [cache.get("key"), cache.add("key", 1), cache.incr("k5"), len(cache.get_many([f"k{n}" for n in range(30)]))])
    call_command("clearsessions")


def in_threads(count, work):
    results = [None] * count
    queue = list(range(count))

    def lane():
        while queue:
            n = queue.pop()
            results[n] = work(n)
        connection.close()

    threads = [threading.Thread(target=lane) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def add(n):
    with transaction.atomic():
        counter = Counter.objects.select_for_update().get(name="a")
        counter.value += n
        counter.save()
        Counter.objects.create(name=f"job {n}", value=n)


def report(n):
    """Reads of a session that has written nothing."""
    return [
        list(Counter.objects.filter(name=f"job {n}").values_list("value", flat=True)),
        list(Author.objects.annotate(lower=Lower("name")).filter(pk=n).values_list("lower", "born")),
        Tag.objects.filter(uses__gt=n).aggregate(Count("pk"), Sum("uses")),
    ]


migrate()
create_read_update_delete()
values()
relations()
transactions()
contrib()
connection.close()
sync()
in_threads(20, add)
sync()
say("counter", Counter.objects.get(name="a").value)
connection.close()
say("reports", in_threads(30, report))
say("end")

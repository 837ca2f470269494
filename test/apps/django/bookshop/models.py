from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)
    born = models.DateField(null=True)
    land = models.CharField(max_length=2, default="CZ")

    def __str__(self):
        return self.name


class Tag(models.Model):
    slug = models.SlugField(max_length=40, primary_key=True)
    uses = models.PositiveIntegerField(default=1)


class Book(models.Model):
    title = models.CharField(max_length=190, db_index=True)
    price = models.DecimalField(max_digits=12, decimal_places=4)
    author = models.ForeignKey(Author, models.CASCADE)
    tags = models.ManyToManyField(Tag)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["title", "author"], name="one_title")]


class Specimen(models.Model):
    id = models.UUIDField(primary_key=True)
    json = models.JSONField(null=True)
    at = models.DateTimeField()
    day = models.DateField()
    clock = models.TimeField()
    span = models.DurationField()
    amount = models.DecimalField(max_digits=30, decimal_places=10)
    huge = models.BigIntegerField()
    real = models.FloatField()
    data = models.BinaryField()
    text = models.TextField()
    short = models.CharField(max_length=200)
    address = models.GenericIPAddressField()
    flag = models.BooleanField()


class Counter(models.Model):
    name = models.CharField(max_length=20, primary_key=True)
    value = models.IntegerField()

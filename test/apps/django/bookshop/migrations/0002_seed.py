from django.db import migrations, models


def seed(apps, schema_editor):
    apps.get_model("bookshop", "Tag").objects.create(slug="seed", uses=0)


class Migration(migrations.Migration):
    dependencies = [("bookshop", "0001_initial")]

    operations = [
        migrations.AddField("Author", "land", models.CharField(default="CZ", max_length=2)),
        migrations.AddIndex("Author", models.Index(fields=["land", "name"], name="land_name")),
        migrations.RunPython(seed, lambda apps, schema_editor: apps.get_model("bookshop", "Tag").objects.all().delete()),
        migrations.RunSQL("ALTER TABLE bookshop_counter COMMENT 'počítadla'", migrations.RunSQL.noop),
    ]

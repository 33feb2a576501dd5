"""Which sessions go on with one: without an index each session that is deleted reads all of its account's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flowpilot", "0015_looked_up_first")]

    operations = [
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("previous_session__isnull", False)),
                fields=["account", "previous_session"],
                name="session_that_follows",
            ),
        ),
    ]

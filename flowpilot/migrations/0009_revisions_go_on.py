"""A flow's next draft goes on with the revisions of the one before, so that none ever names two states."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flowpilot", "0008_what_undo_needs"),
    ]

    operations = [
        migrations.AddField(
            model_name="flow",
            name="last_revision",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]

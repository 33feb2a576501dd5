"""Of each change of a draft only what it replaced is kept. Earlier ones keep all of the structure, as text."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flowpilot", "0007_proposals_and_pushes"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftchange",
            name="same_first",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="draftchange",
            name="same_last",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="draftchange",
            name="before",
            field=models.TextField(),
        ),
    ]

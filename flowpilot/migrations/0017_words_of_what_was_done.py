"""What was done about a problem, apart from what it is: it only helps to tell problems apart."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flowpilot", "0016_sessions_that_follow"),
    ]

    operations = [
        migrations.AddField(
            model_name="problem",
            name="step_words",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]

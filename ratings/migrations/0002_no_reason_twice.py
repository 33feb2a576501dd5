"""What came twice in one request was kept twice. From the next migration on a reason stands once."""

from django.db import migrations

ONCE = """
    update ratings_steprating
       set reasons = (select jsonb_agg(distinct reason) from jsonb_array_elements(reasons) as listed (reason))
     where jsonb_array_length(reasons) > 1
"""


class Migration(migrations.Migration):
    dependencies = [("ratings", "0001_first_tables")]

    operations = [migrations.RunSQL(ONCE, migrations.RunSQL.noop)]

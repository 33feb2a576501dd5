"""The words of a flow's steps, computed by the database from the structure, for the search in the library.

They are kept uncompressed: a search reads all of an account's, and taking them apart would be most of the work. The
expression is written out, so that a database made later gets the column that the earlier ones have.
"""

from django.db import migrations, models

TABLES = ("flowpilot_flowdraft", "flowpilot_flowversion")
PLAIN = (
    "replace(replace(replace(replace(replace(replace("
    "jsonb_path_query_array(%(expressions)s, 'strict $.**.title')::text"
    " || jsonb_path_query_array(%(expressions)s, 'strict $.**.help')::text"
    " || jsonb_path_query_array(%(expressions)s, 'strict $.**.label')::text"
    " || jsonb_path_query_array(%(expressions)s, 'strict $.**.text')::text"
    r""", '\\', '\1'), '\n', ' '), '\r', ' '), '\t', ' '), '\"', '"'), '\1', '\')"""
)
FOLDED = r"lower(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g'))"


def step_texts() -> models.GeneratedField:
    plain = models.Func(models.F("structure"), template=PLAIN, output_field=models.TextField())
    return models.GeneratedField(
        expression=models.Func(plain, template=FOLDED, output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
    )


class Migration(migrations.Migration):
    dependencies = [("flowpilot", "0005_guided_sessions")]

    operations = [
        *(migrations.AddField(model, "step_texts", step_texts()) for model in ("flowdraft", "flowversion")),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ALTER COLUMN step_texts SET STORAGE EXTERNAL", migrations.RunSQL.noop
            )
            for table in TABLES
        ),
    ]

"""Cuts the demo's incident log from the complete one: python -m operations.demo.incident_log.make_sample SOURCE.csv.gz

Keeps the incidents opened in March to May 2016, the columns that the servicenow mapping reads, and of each incident the
rows in which its state is another one than before, and the last. All but the last row keep number, state and time of
the update only, as the mapping asks them for no more. ATTRIBUTION.md names the source.
"""

import csv
import gzip
import io
import sys
from itertools import groupby
from operator import itemgetter
from pathlib import Path

TARGET = Path(__file__).parent / "incident_log.csv.gz"
COLUMNS = (
    *(
        "number",
        "incident_state",
        "reassignment_count",
        "reopen_count",
        "knowledge",
        "opened_at",
        "sys_updated_at",
    ),
    *(
        "location",
        "category",
        "subcategory",
        "u_symptom",
        "assigned_to",
        "resolved_by",
        "resolved_at",
        "closed_at",
    ),
)
OF_EVERY_ROW = ("number", "incident_state", "sys_updated_at")
MONTHS = ("/3/2016", "/4/2016", "/5/2016")


def make_sample(source: Path) -> bytes:
    """The sample as gzip; the same source gives the same bytes."""
    sample = io.StringIO(newline="")
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        writer = csv.writer(sample, lineterminator="\n")
        writer.writerow(COLUMNS)
        for _, rows in groupby(csv.DictReader(file), itemgetter("number")):
            incident = list(rows)
            if not incident[-1]["opened_at"].partition(" ")[0].endswith(MONTHS):
                continue
            state = None
            for row in incident:
                if row is incident[-1]:
                    writer.writerow([row[column] for column in COLUMNS])
                elif row["incident_state"] != state:
                    writer.writerow([row[column] if column in OF_EVERY_ROW else "?" for column in COLUMNS])
                state = row["incident_state"]
    return gzip.compress(sample.getvalue().encode(), compresslevel=9, mtime=0)


if __name__ == "__main__":
    TARGET.write_bytes(make_sample(Path(sys.argv[1])))

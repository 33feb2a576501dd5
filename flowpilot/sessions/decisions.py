"""Conditions on the decisions of a session, as the database asks its JSON."""

from django.db.models import BooleanField, F, Func, JSONField, Q, TextField, Value
from django.db.models.lookups import Exact

# A decision taken back counts in no figure but the back-rate, one taken over in none. In jsonpath a missing member
# equals nothing, so "not true" and "not set" are asked as the absence of the opposite.
COUNTS = "!exists(@.undone_at ? (@ != null)) && !exists(@.taken_over ? (@ == true))"

LAST_NODE = """(
    select last.decision ->> 'node_id'
      from jsonb_array_elements(%(expressions)s) with ordinality last (decision, position)
     where last.decision ->> 'undone_at' is null and last.decision -> 'taken_over' is distinct from 'true'::jsonb
     order by (last.decision ->> 'at')::timestamptz desc nulls last, last.position desc
     limit 1)"""


def has_decision(*, node_id: str | None = None, answer: str | None = None) -> Q:
    """Sessions with a decision that counts at this node, with this answer, or with both at once."""
    tests, values = [COUNTS], {}
    if node_id is not None:
        tests.append("@.node_id == $node")
        values["node"] = node_id
    if answer is not None:
        tests.append("@.answer == $answer")
        values["answer"] = answer
    path = f"$[*] ? ({' && '.join(tests)})"
    return Q(
        Func(
            F("decisions"),
            Func(Value(path, TextField()), template="%(expressions)s::jsonpath"),
            Value(values, JSONField()),
            function="jsonb_path_exists",
            output_field=BooleanField(),
        )
    )


def last_decision_at(node_id: str) -> Q:
    """Sessions whose last decision that counts – newest by time, else last in the list – is at this node."""
    return Q(Exact(Func(F("decisions"), template=LAST_NODE, output_field=TextField()), node_id))

"""What decisions say of steps as one writes it first: sessions are fetched, and Python goes through them."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from analytics import query
from flowpilot.metrics import SessionQuerySet
from flowpilot.models import Flow, Step
from flowpilot.sessions.states import Outcome
from flowpilot.sessions.steps import OptionFigures, StepFigures, Walks


@contextmanager
def obvious_way() -> Iterator[None]:
    """Inside, the panels get their figures of steps the obvious way; the templates are the same."""
    with patch.object(query, "walks", walks):
        yield


def walks(sessions: SessionQuerySet, flow: Flow, *, now: datetime, idle_limit: timedelta) -> Walks:
    visits, dropped, back = Counter[str](), Counter[str](), Counter[str]()
    times, met = defaultdict(list), defaultdict(set)
    given, ended = Counter[tuple[str, str]](), defaultdict(dict)
    for session in sessions:
        own = [d for d in session.decisions if not d["taken_over"]]
        back.update(d["node_id"] for d in own if d["undone_at"])
        path = sorted((d for d in own if not d["undone_at"]), key=lambda d: d["at"])
        before = session.started_at
        for decision in path:
            node_id, option = decision["node_id"], (decision["node_id"], decision["answer"])
            at = datetime.fromisoformat(decision["at"])
            if timedelta(0) <= at - before <= idle_limit:
                times[node_id].append((at - before).total_seconds())
            before = at
            visits[node_id] += 1
            given[option] += 1
            met[node_id].add(session.pk)
            ended[option][session.pk] = session.outcome
        idle = session.status == "active" and session.last_activity_at < now - idle_limit
        if path and (session.status == "abandoned" or idle):
            dropped[path[-1]["node_id"]] += 1
    titles = dict(Step.objects.filter(flow=flow).values_list("node_id", "title"))
    steps = {
        node_id: StepFigures(
            node_id,
            titles.get(node_id, ""),
            visits[node_id],
            len(met[node_id]),
            dropped[node_id],
            back[node_id],
            len(times[node_id]),
            statistics.median(times[node_id]) if times[node_id] else None,
        )
        for node_id in visits.keys() | back.keys()
    }
    options = {}
    for (node_id, answer), of in ended.items():
        counts = Counter(of.values())
        outcomes = {outcome: counts[outcome.value] for outcome in Outcome}
        options[node_id, answer] = OptionFigures(node_id, answer, given[node_id, answer], len(of), outcomes)
    return Walks(steps, options)

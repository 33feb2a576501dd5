"""The Team page and each of its panels, as a browser asks for them, beside the obvious way."""

from collections.abc import Sequence

from analytics.dashboards import TEAM
from benchmarks._both_ways import DAYS, NEIGHBOURS, PAGE, arguments_of, compare, explain, lead_of, prepared
from benchmarks._many_sessions import fill
from benchmarks._obvious_team import obvious_way
from resolutionflow.links import url_with


def main(arguments: Sequence[str]) -> None:
    chosen = arguments_of("team_page", __doc__, arguments, sizes=[10_000, 100_000, 1_000_000], rounds=20)
    with prepared("team_page") as period:
        accounts = [(f"with-{size}", 2 * size) for size in chosen.sizes]
        fill([*NEIGHBOURS, *accounts], start=period.before.start, end=period.end)
        urls = {PAGE: url_with("analytics:team", period.query)} | {
            panel.name: url_with("analytics:team-panel", period.query, panel.name) for panel in TEAM.panels
        }
        for size in chosen.sizes:
            client = lead_of(f"with-{size}")
            if chosen.explain:
                explain(client, urls[PAGE])
            else:
                title = f"{size:,} sessions in {DAYS} days"
                compare(client, urls, obvious_way, title=title, size=size, rounds=chosen.rounds)

"""Sessions for tests as engineers write them: "step > result", in an account that is in scope."""

from datetime import UTC, datetime, timedelta

from flowpilot.tests.factories import SessionFactory

FIRST = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def decision(n, title, answer="", **more):
    return {
        "id": str(n),
        "node_id": None,
        "title": title,
        "answer": answer,
        "note": "",
        "at": "2026-03-02T09:00:00Z",
        "undone_at": None,
        "taken_over": False,
    } | more


def decisions(steps):
    split = [[part.strip() for part in step.split(">")] for step in steps]
    return [decision(n, *parts) for n, parts in enumerate(split)]


def told(problem, solution, steps, *, hours=0, **more):
    """A resolved discovery session, which ended so many hours after the first."""
    facts = {"confidence_tier": "discovery", "completed_at": FIRST + timedelta(hours=hours, minutes=20)}
    facts |= {"started_at": FIRST + timedelta(hours=hours), "decisions": decisions(steps)} | more
    return SessionFactory(problem_summary=problem, resolution_summary=solution, **facts)


SPOOLER = [
    (
        "printer not printing, jobs stuck in queue",
        "Restarted the print spooler",
        ["checked print queue > 3 jobs stuck", "restarted print spooler > jobs printed"],
    ),
    (
        "User cant print - nothing comes out of HP",
        "spooler restart",
        [
            "Pinged printer > ok",
            "looked at the print queue > stuck jobs",
            "Restarted spooler service > works",
        ],
    ),
    (
        "print jobs hang on the 402",
        "cleared the queue folder and restarted spooler",
        [
            "check queue > jobs stuck",
            "restart print spooler > no change",
            "deleted files in spool folder, restarted the spooler > prints again",
        ],
    ),
    (
        "Printing: queue full, jobs not coming out",
        "Replaced network cable",
        [
            "restarted print spooler > still stuck",
            "checked network cable > broken clip",
            "replaced network cable > printing",
        ],
    ),
    ("print queue stuck again", "spooler", ["check print queue > stuck", "restart the spooler > ok"]),
    ("Jobs stuck in print queue of reception", "", ["restarted spooler > ok", "test page > printed"]),
]
ONEDRIVE = [
    (
        "onedrive not syncing since password change",
        "signed out and in again in OneDrive",
        ["checked onedrive icon > grey cloud", "signed out of OneDrive and in again > syncing"],
    ),
    (
        "One Drive sync stuck after pw reset",
        "relogged in OneDrive",
        ["Looked at OneDrive icon > sign in needed", "sign out of onedrive and back in > sync ok"],
    ),
    (
        "files dont sync to onedrive",
        "Reset OneDrive client",
        [
            "checked OneDrive icon > red cross",
            "signed out of onedrive > no change",
            "reset OneDrive (onedrive.exe /reset) > syncs again",
        ],
    ),
    (
        "OneDrive sync pending forever",
        "reset onedrive",
        ["check onedrive icon > sync pending", "reset onedrive > ok"],
    ),
]
VPN = [
    (
        "VPN wont connect, error 809",
        "Opened UDP 500/4500 on home router",
        [
            "checked internet connection > fine",
            "tried from phone hotspot > connects",
            "opened UDP 500 and 4500 on router > connected",
        ],
    ),
    (
        "vpn error 809 from home",
        "set AssumeUDPEncapsulationContextOnSendRule in registry",
        [
            "checked internet > ok",
            "tested with phone hotspot > same error",
            "set registry AssumeUDPEncapsulation and rebooted > connects",
        ],
    ),
    (
        "user working from home: VPN does not connect (809)",
        "Ports on the router",
        [
            "check internet connection > ok",
            "try hotspot of phone > works there",
            "open UDP 500/4500 on the router > ok",
        ],
    ),
    (
        "Cannot connect to vpn at home err 809",
        "registry key for NAT-T",
        ["tested hotspot > fails too", "added registry key AssumeUDPEncapsulation, rebooted > connected"],
    ),
]


def tell(stories, start=0, **more):
    return [told(*story, hours=start + n, **more) for n, story in enumerate(stories)]


def drawn(structure):
    """A tree as text: a line a step, an answer deeper; what the step's help says in brackets."""
    nodes = {node["id"]: node for node in [structure, *structure.get("children", [])]}
    lines = []

    def draw(node, depth, answer):
        told = f" ({node['help']})" if node.get("help") else ""
        lines.append("  " * depth + (f"{answer} → " if answer else "") + node["title"] + told)
        for option in node.get("options", []):
            draw(nodes[option["next"]], depth + 1, option["label"])
        if "next" in node:
            draw(nodes[node["next"]], depth, "")

    draw(structure, 0, "")
    return "\n".join(lines)

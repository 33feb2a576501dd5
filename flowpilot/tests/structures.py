"""Structures for tests: small ones put together by hand, and any valid one for Hypothesis."""

from hypothesis import strategies as st

from flowpilot.flows.structure import SHELLS
from flowpilot.sessions.states import Outcome


def leaf(id="solved", **more):
    return {"id": id, "type": "outcome", "outcome": "resolved", "title": id.title()} | more


def question(id, *nexts, children=(), **more):
    """Its answers are 1, 2, …"""
    options = [{"label": str(n), "next": target} for n, target in enumerate(nexts, start=1)]
    return {
        "id": id,
        "type": "question",
        "title": id.title(),
        "options": options,
        "children": [*children],
    } | more


def action(id, next, **more):
    return {"id": id, "type": "action", "title": id.title(), "next": next} | more


HOSTILE = [
    "<script>alert(1)</script>",
    '"]',
    "-->|No|",
    "end",
    "&quot;",
    "#quot;",
    "a; b",
    "😀",
    "עברית",
    "`",
    "{user}",
    "%%",
]


def texts(longest=40):
    """Texts that may be titles, labels or ids: not blank, storable, some of them meant ill."""
    plain = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=longest
    )
    return (plain | st.sampled_from(HOSTILE)).filter(str.strip)


@st.composite
def structures(draw, most=25, text=None):
    """Any valid structure: a tree in which each inner node leads on to its children, with further ways to anywhere."""
    text = texts() if text is None else text
    count = draw(st.integers(1, most))
    ids = draw(st.lists(text, min_size=count, max_size=count, unique=True))
    parents = [0] + [draw(st.integers(0, number - 1)) for number in range(1, count)]
    below = {number: [n for n in range(1, count) if parents[n] == number] for number in range(count)}

    def node(number):
        made = {"id": ids[number], "title": draw(text)}
        if draw(st.booleans()):
            made["help"] = draw(text)
        if not below[number]:
            return made | {"type": "outcome", "outcome": draw(st.sampled_from(Outcome.values))}
        children = [node(child) for child in below[number]]
        more = draw(st.lists(st.integers(0, count - 1), max_size=3))
        nexts = draw(st.permutations([*below[number], *more]))
        if len(nexts) == 1:
            made |= {"type": "action", "next": ids[nexts[0]], "children": children}
            if draw(st.booleans()):
                made["script"] = {"shell": draw(st.sampled_from(SHELLS)), "text": draw(text), "blanks": []}
            return made
        labels = draw(st.lists(text, min_size=len(nexts), max_size=len(nexts), unique=True))
        options = [{"label": label, "next": ids[to]} for label, to in zip(labels, nexts, strict=True)]
        return made | {"type": "question", "options": options, "children": children}

    return node(0)

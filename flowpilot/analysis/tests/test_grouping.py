"""What is one problem and what is not: hand-made sets that tempt to put together what is apart, and the reverse."""

from datetime import UTC, datetime

import pytest

from flowpilot.analysis.running import analyse
from flowpilot.analysis.tests.telling import told
from flowpilot.models import FlowProposal, Session
from flowpilot.tests.factories import ClientFactory, DomainFactory
from resolutionflow.tests.factories import UserFactory

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
# What is done about anything, in the same words each time.
USUAL = [
    "Restarted the device with the user on the phone > no change",
    "Asked a colleague who knows this client > no idea either",
    "Found the setting that had changed and put it back > works",
]
WEBCAM = [
    "Camera picture black in every app",
    "Webcam stays black, camera light is on",
    "Black camera picture in meetings",
]
KEYBOARD = [
    "Keyboard types wrong characters",
    "Wrong characters from the keyboard",
    "Keyboard layout types wrong characters",
]
BATTERY = ["Battery lasts 20 minutes", "Battery drains within minutes", "Battery drains, lasts no hour"]


@pytest.fixture
def domain(account):
    return DomainFactory(name="Endpoints")


def tell(problems, steps=USUAL, **more):
    return [told(problem, "", steps, hours=n, **more) for n, problem in enumerate(problems)]


def filed():
    """The sessions of each proposal, by what they say, in no order."""
    said = {str(id_): problem for id_, problem in Session.objects.values_list("id", "problem_summary")}
    proposals = FlowProposal.objects.values_list("evidence__sessions", flat=True)
    return sorted(sorted(said[id_] for id_ in sessions) for sessions in proposals)


def test_the_same_usual_steps_tie_nothing_together(account, domain):
    for problems in zip(WEBCAM, KEYBOARD, BATTERY, strict=True):
        tell(problems, domain=domain)
    analyse(account, NOW)
    assert filed() == sorted(map(sorted, [WEBCAM, KEYBOARD, BATTERY]))


@pytest.mark.parametrize(
    "frame",
    [
        "{} on LT-0344",
        "Ravi: {}",
        "{} ({{}}) since Monday morning".replace("({{}})", "(Marta Nowak)"),
        "PC0417 at the warehouse: {}",
    ],
)
def test_one_device_person_place_or_day_makes_no_problem(account, domain, frame):
    problems = [
        "Fan is loud",
        "Excel closes by itself",
        "Taskbar is gone",
        "Bluetooth headset cuts out",
        "Clock is wrong",
    ]
    tell([frame.format(problem) for problem in problems], domain=domain)
    analyse(account, NOW)
    assert filed() == []


def test_one_thing_with_different_problems_and_steps_of_their_own(account, domain):
    """Each says “Outlook”, none has two telling words of another."""
    tell(
        ["Outlook search finds nothing", "Outlook signature missing", "Outlook reminders pop up late"],
        domain=domain,
    )
    analyse(account, NOW)
    assert filed() == []


def test_a_chain_is_no_problem(account, domain):
    """Each shares two words with the next and none with the one after."""
    tell(
        [
            "alpha bravo charlie delta",
            "charlie delta echo foxtrot",
            "echo foxtrot golf hotel",
            "golf hotel india juliet",
        ],
        domain=domain,
    )
    analyse(account, NOW)
    assert filed() == []


def test_one_problem_in_other_words_with_slips_and_as_a_mail(account, domain):
    mail = (
        "Hi team,\nthe docking staton gives no picture on both monitors again.\nCan you help?\n\nKind regards,\n"
        "Helen Marsh\nHarrow & Pike, 12 Mill Road, +44 20 7946 0000"
    )
    steps = ["Power cycle of the dock > screens back", "Updated the dock's firmware > works"]
    problems = [
        "No picture on monitors at docking station",
        "Docking station: monitors stay without picture",
        mail,
    ]
    tell(problems, steps, domain=domain)
    told(
        "Strange",
        "",
        steps,
        hours=9,
        domain=domain,
        problem_description="docking statoin, no picture on the monitors",
    )
    analyse(account, NOW)
    assert [len(sessions) for sessions in filed()] == [4]


def test_few_words_join_where_the_same_rare_things_were_done(account, domain):
    steps = ["Checked the cyan cartridge > empty", "Replaced the cyan cartridge > colours right"]
    tell(["Colours wrong, pages pink", "Pink pages, colours wrong", "Photos pink"], steps, domain=domain)
    tell(["Photos cannot be opened", "Photos folder missing"], domain=domain)
    analyse(account, NOW)
    assert filed() == [sorted(["Colours wrong, pages pink", "Pink pages, colours wrong", "Photos pink"])]


def test_a_rejected_problem_does_not_come_back_under_another_name(account, domain):
    tell(WEBCAM, domain=domain)
    analyse(account, NOW)
    FlowProposal.objects.update(status="rejected", reviewed_at=NOW)
    others = [
        "Camera black since update",
        "Picture of the webcam is black",
        "Black picture, camera works nowhere",
    ]
    tell(others[:2], domain=domain)
    analyse(account, NOW)
    assert FlowProposal.objects.count() == 1
    tell(others[2:], domain=domain)
    analyse(account, NOW)
    back = FlowProposal.objects.get(status="pending")
    assert (len(back.evidence["sessions"]), back.evidence["returned"]["sessions_before"]) == (6, 3)


def test_a_name_has_what_people_share_and_nobody_s_name(account, domain):
    ClientFactory(name="Northmoor Logistics")
    people = [
        UserFactory(account=account, name=name) for name in ("Priya Raman", "Tom Hartley", "Ewa Nowicka")
    ]
    problems = [
        "Docking station at Northmoor charges but no screens – LT-0123",
        "Mrs O'Neill: docking station charges but no screens",
        "Gwen Harper says docking station charges but no screens, asked Priya",
    ]
    for n, (problem, engineer) in enumerate(zip(problems, people, strict=True)):
        told(problem, "", USUAL, hours=n, domain=domain, user=engineer)
    analyse(account, NOW)
    assert FlowProposal.objects.get().title == "Docking station charges but no screens"


def test_how_sure_it_is_tells_agreement_and_not_only_number(account, domain):
    """Four sessions each: alike and done alike, or in two ways, half of them got around."""
    steps = ["Power cycle of the dock > no change", "Updated the dock's firmware > works"]
    tell(["Docking station: monitors black"] * 4, steps, domain=domain)
    for n, way in enumerate(["Exchanged the roller", "Emptied the tray"] * 2):
        outcome = "workaround" if n % 2 else "resolved"
        steps = ["Looked at the lever > odd", f"{way} > works"]
        told("Paper jams in the tray", "", steps, hours=n, domain=domain, outcome=outcome)
    analyse(account, NOW)
    sure = {p.title: (p.confidence, p.evidence["agreement"]) for p in FlowProposal.objects.all()}
    # Wilson's lower end of 4 of 4 is 4 / (4 + 1.96²)
    assert sure["Docking station: monitors black"] == (
        0.51,
        {"alike": 1.0, "drawn": 1.0, "ways": 1.0, "solved": 1.0},
    )
    confidence, agreement = sure["Paper jams in the tray"]
    assert confidence == 0.431  # the same of 4 × (1 + 1 + 0.75) / 3
    assert (agreement["alike"], agreement["solved"]) == (1.0, 0.75)


def test_words_are_those_of_the_account_s_language(account):
    account.language = "german"
    account.save()
    domain = DomainFactory(name="Drucker")
    tell(
        ["Etiketten verschoben gedruckt", "Etikett wird verschoben gedruckt", "verschobene Etiketten"],
        domain=domain,
    )
    analyse(account, NOW)
    assert [len(sessions) for sessions in filed()] == [3]

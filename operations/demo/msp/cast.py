"""Who works at the demo MSP, for whom, and what its flows are like. All of it is invented."""

from dataclasses import dataclass

from django.utils.text import slugify

SLUG, NAME, TIME_ZONE = "ambermoor", "Ambermoor IT", "Europe/London"
DAYS = 126  # eighteen whole weeks: at least 120 days lie behind any moment of the last one


@dataclass(frozen=True)
class Engineer:
    """`share` is how much they take on, `pace` how long they need (1 is usual); days count from the story's first."""

    name: str
    share: float = 1.0
    pace: float = 1.0
    first_day: int = 0
    last_day: int = DAYS
    weekdays: str = "01234"  # Monday is 0; whoever is on call at weekends has 5 and 6 too

    @property
    def email(self) -> str:
        return f"{slugify(self.name).replace('-', '.')}@{SLUG}.invalid"


LEAD = Engineer("Morgan Ellery", share=0.15, pace=0.9)
ENGINEERS = [
    LEAD,
    Engineer("Priya Raman", 1.6, 0.8, weekdays="0123456"),
    Engineer("Tom Hartley", 1.3),
    Engineer("Adaeze Obi", 1.2, 0.9),
    Engineer("Lukas Brandt", 1.1, 1.1),
    Engineer("Sofia Marques", 1.0),
    Engineer("Callum Reid", 1.4, 0.95, weekdays="0123456"),
    Engineer("Yuki Tanabe", 0.9, 1.2),
    Engineer("Hannah Schofield", 1.0),
    Engineer("Omar Farouk", 1.1, 0.9),
    Engineer("Beth Llewellyn", 0.6, weekdays="012"),
    Engineer("Daniel Kovač", 1.0, 1.15),
    Engineer("Mei Ling Chua", 1.2),
    Engineer("Rory Gallagher-Shaw", 0.8, 1.3),
    Engineer("Ewa Nowicka", 1.0, 0.85),
    Engineer("Jörg Petersen", 0.7, 1.1, weekdays="1234"),
    Engineer("Chloé Martin", 1.0, first_day=35, pace=1.25),
    Engineer("Samuel Adjei", 1.1),
    Engineer("Grace Whitcombe", 0.9),
    Engineer("Imran Siddiqui", 1.3, 0.9, weekdays="0123456"),
    Engineer("Nina Vukić", 0.8, first_day=63, pace=1.4),
    Engineer("Patrick O'Dowd", 1.0, last_day=77),  # left, so that a deactivated person is there
    Engineer("Zanele Dube", 0.9),
    Engineer("Fergus Bain", 0.5, 1.5, first_day=98),
    Engineer("Alice Thornbury", 1.1, 0.95),
]
LOGINS = (LEAD, ENGINEERS[1])

CLIENTS = {  # name → share of the tickets
    "Harrow & Pike Solicitors": 1.5,
    "Tidewell Dental Group": 1.2,
    "Marlowe Primary School": 0.9,
    "Copperfield Estates": 1.0,
    "Northmoor Logistics": 1.8,
    "Saltbox Brewery": 0.7,
    "Bellwether Accountants": 1.3,
    "St Aldhelm's Care Home": 0.8,
    "Quillfeather Publishing": 0.6,
    "Orchard Veterinary Centre": 0.5,
    "Grange Lane Engineering": 1.1,
    "Pennywort Garden Centres": 0.4,
}

DOMAINS = {  # name → share of the tickets
    "Microsoft 365": 2.2,
    "Endpoints": 1.8,
    "Active Directory": 1.4,
    "Printing": 1.3,
    "Network": 1.2,
    "VPN": 1.1,
    "Telephony": 0.7,
    "Backup": 0.6,
}
UNCOVERED = {"Printing", "Telephony"}  # their flows are drafts that nobody published yet

# What is wrong on purpose, so that there is something to find.
LEFT_AT = ("Windows Update fails", "read-code")  # the step at which many give up
UNHELPFUL_AT = ("Wi-Fi is slow or drops", "place")  # the step that gets thumbs down
# The last answer of its first question mostly ends escalated.
ESCALATES = "Outlook cannot connect or keeps asking for a password"
STALE = "BitLocker asks for the recovery key", 79  # not used from this day on
REVISED = {  # published once more on this day: from then on a step longer, and quicker
    "Account keeps locking out": 49,
    "VPN does not connect": 56,
    "Computer is slow": 70,
    "Email is not delivered or bounces": 77,
}
GENERATED = {"DNS names do not resolve", "OneDrive does not sync"}
ENHANCED = {"VPN is slow or drops"}

PEOPLE = (
    *(
        "Marta Nowak",
        "J. Osei",
        "Mr Fenwick",
        "Dr Patel",
        "Siân",
        "Gwen Harper",
        "Luis",
        "the front desk",
        "Ayesha K.",
    ),
    *(
        "Mrs O'Neill",
        "Bruno",
        "Helen in accounts",
        "the night shift",
        "Kwame",
        "Ms Delacroix",
        "Ravi",
        "Tove Lindqvist",
    ),
)
SITES = (
    "the head office",
    "the Mill Road branch",
    "the warehouse",
    "the harbour site",
    "reception",
    "the annexe",
    "floor 2",
)

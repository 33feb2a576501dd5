"""Script templates: a value that is filled into a blank stays one value of the shell named, whatever is in it.

A declared blank, `{user}`, stands unquoted in the text and is replaced by the value as a literal of the shell: in
single quotes for powershell and bash, in double quotes for cmd. Everything else in braces stays as it is. What a shell
cannot hold safely is refused in words. One thing no quoting can do is left to the author: not to hand a value to what
reads it as code once more (`cmd /c`, `ssh`, `eval`, `let`, `declare -i`, `test -v`, `Invoke-Expression`).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

Script = Mapping[str, Any]

MOST_CHARACTERS = 1000
# PowerShell takes the typographic quotes for the plain ones.
SINGLE, DOUBLE = "'\u2018\u2019\u201a\u201b", '"\u201c\u201d\u201e'
# Right before a blank these would join it into something else: a variable, a here-string, an event of the history.
JOINS_BEFORE = {"powershell": "$@" + SINGLE + DOUBLE, "cmd": '%!"', "bash": "$!"}
JOINS_BEHIND = {"powershell": SINGLE + DOUBLE, "cmd": '%!"', "bash": ""}
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def fill(script: Script, values: Mapping[str, str]) -> str:
    """The text with every declared blank replaced, in one pass. Raises ValueError where `faults_of` finds anything."""
    if faults := faults_of(script, values):
        raise ValueError(next(iter(faults.values())))
    blanks = _blanks(script)
    if not blanks:
        return str(script["text"])
    return blanks.sub(lambda found: literal(script["shell"], values[found[1]]), script["text"])


def faults_of(script: Script, values: Mapping[str, str]) -> dict[str, str]:
    """What keeps the script from being filled in: by the blank's name, in words. Empty if nothing does."""
    faults = {}
    for blank in script.get("blanks", []):
        name = blank["name"]
        if fault := fault_of_value(script["shell"], values.get(name, "")):
            faults[name] = fault
    for name in misplaced(script):
        faults[name] = f"{{{name}}} does not stand by itself in the script: its author has to mend the flow."
    return faults


def literal(shell: str, value: str) -> str:
    """The value as one literal of the shell. It has no fault."""
    if shell == "powershell":
        return "'" + re.sub(f"([{SINGLE}])", r"\1\1", value) + "'"
    if shell == "cmd":
        return f'"{value}"'
    return "'" + value.replace("'", "'\\''") + "'"


def fault_of_value(shell: str, value: str) -> str:
    """Why the value cannot be put into a script of this shell; "" if it can."""
    if not value.strip():
        return "Fill this in."
    if len(value) > MOST_CHARACTERS:
        return f"This has more than {MOST_CHARACTERS:,} characters."
    hidden = next((c for c in value if unicodedata.category(c) in INVISIBLE), None)
    if hidden is not None:
        return f"This holds a character that cannot be seen (U+{ord(hidden):04X}). Type it instead of pasting it."
    first = value.lstrip()[0]
    if first == "-" or (shell == "cmd" and first == "/"):
        return f"This begins with {first}, so a command would take it for an option."
    if shell == "cmd":
        return _fault_in_cmd(value)
    return _fault_in_powershell(value) if shell == "powershell" else ""


def _fault_in_powershell(value: str) -> str:
    # Before version 7.3 it hands quotes to programs unescaped: the value could end there and go on as further options.
    if any(quote in value for quote in DOUBLE):
        return "PowerShell cannot hand a double quote to every program safely. Do this step by hand."
    if value.endswith("\\"):
        return "PowerShell cannot hold a value that ends with \\ safely. Leave it out at the end."
    return ""


def _fault_in_cmd(value: str) -> str:
    # Programs that do not speak Unicode are handed the nearest plain character: a wide quote becomes a quote.
    plain = unicodedata.normalize("NFKC", value)
    found = next((character for character in '"%!' if character in plain), None)
    if found is not None:
        return f"cmd cannot hold {found} safely in a value. Do this step by hand."
    if plain.endswith("\\"):
        return "cmd cannot hold a value that ends with \\ safely. Leave it out at the end."
    return ""


def secret_names(nodes: Iterator[Mapping[str, Any]]) -> set[str]:
    """The names of all blanks that any of these steps marks secret."""
    return {
        blank["name"]
        for node in nodes
        for blank in node.get("script", {}).get("blanks", [])
        if blank.get("secret")
    }


def misplaced(script: Script) -> list[str]:
    """The blanks that do not stand unquoted and by themselves: quotes of the text would end those of the value.

    Where the shell's rules leave doubt, a blank counts as misplaced.
    """
    shell, text, blanks = script["shell"], str(script["text"]), _blanks(script)
    if not blanks:
        return []
    bare = _bare_places(shell, text)
    places = list(blanks.finditer(text))
    wrong = [
        place[1]
        for place in places
        if place.start() not in bare
        or (place.start() and text[place.start() - 1] in JOINS_BEFORE[shell])
        or text[place.end() : place.end() + 1] in set(JOINS_BEHIND[shell])
    ]
    if shell != "bash":  # two literals in a row are one with a quote in it
        wrong += [right[1] for left, right in pairwise(places) if left.end() == right.start()]
    return sorted(set(wrong))


def _blanks(script: Script) -> re.Pattern[str] | None:
    names = [re.escape(blank["name"]) for blank in script.get("blanks", [])]
    return re.compile(rf"\{{({'|'.join(names)})\}}") if names else None


# How a shell reads its text, as far as it matters here: `passed` are its quotes, escapes and comments, in all other
# characters of `bare` a value may begin. Where neither fits (a quote that never ends, a here-document, arithmetic, code
# within double quotes) the reading stops, and nothing behind it counts as bare. Bash takes subscripts, parts of a
# variable and comparisons of numbers in [[ ]] for arithmetic too: it carries out a command in a value there, quoted or
# not.
READINGS = {
    "bash": re.compile(
        r"""(?P<passed> \\. | '[^']*' | \$'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\`$]|\$(?![({\[]))*" | `(?:\\.|[^`\\])*`
            | (?<![^ \t\n;&|()<>])\#[^\n]* | <<<)
          | (?P<bare> [^\\'"`<($\[] | <(?!<) | \((?!\()
            | \$(?!['\[] | \{[\w@*]+(?:\[[@*]\])?:(?![-+=?] | [\d:\ ]+\}))
            | \[(?=[@*\d]+\])
            | (?<!\w)\[(?![^\s\]]*\{)(?!\[(?:(?!\]\]).)*?\s-(?:eq|ne|lt|le|gt|ge|v)\s))""",
        re.VERBOSE | re.DOTALL,
    ),
    # Within a word # begins no comment, but which characters end a word only PowerShell itself knows: there the
    # reading goes on only if the rest of the line comes to the same either way.
    "powershell": re.compile(
        rf"""(?P<passed> `. | [{SINGLE}][^{SINGLE}]*[{SINGLE}] | [{DOUBLE}](?:`.|[^{DOUBLE}`$]|\$(?!\())*[{DOUBLE}]
            | <\#.*?\#> | \$\{{[^}}]*\}} | (?<![^ \t\r\n;(){{}}|&,])\#[^\n]*)
          | (?P<bare> [^`{SINGLE}{DOUBLE}@<$\-\#] | @(?![{SINGLE}{DOUBLE}]) | <(?!\#) | \$(?!\{{) | -(?!-%)
            | \#(?![^\n]*(?:[`{SINGLE}{DOUBLE}]|<\#)))""",
        re.VERBOSE | re.DOTALL,
    ),
    # At the end of a line ^ escapes what the next one begins with.
    "cmd": re.compile(
        r"""(?P<passed> \^(?:\r?\n)*. | "[^"\n]*"?) | (?P<bare> [^"^])""", re.VERBOSE | re.DOTALL
    ),
}


def _bare_places(shell: str, text: str) -> set[int]:
    """Where a value may begin: outside quotes and comments, and not escaped."""
    found, at = set(), 0
    while reading := READINGS[shell].match(text, at):
        if reading["bare"]:
            found.add(at)
        at = reading.end()
    return found

"""Blanks of scripts: what comes out, what is refused, and that a value stays one value. Bash is asked itself."""

import shutil
import subprocess

import pytest

from flowpilot.flows.library import starter_library
from flowpilot.flows.scripts import fault_of_value, faults_of, fill, literal, misplaced, secret_names
from flowpilot.flows.structure import nodes_of

ATTACKS = [
    "'; rm -rf / #",
    "' ; whoami ; '",
    '"; whoami; "',
    "$(whoami)",
    "`whoami`",
    "${IFS}whoami",
    "a & calc.exe",
    "a && calc.exe",
    "a | calc.exe",
    "a > C:\\x",
    "%PATH%",
    "!PATH!",
    "^& calc",
    "\\",
    "\\'",
    "''",
    "'\"'\"'",
    "{user}",
    "{other}",
    "o'brien",
    "\u2019; calc; \u2018",
    "\u201a; calc; \u201b",
    "\u201c; calc; \u201d",
    "@(calc)",
    "; Invoke-Expression calc",
    "<# #>",
    "🙂 Zoë",
    "=HYPERLINK(1)",
    "<script>alert(1)</script>",
]


def script(shell, text, *names, secret=()):
    blanks = [{"name": name, "label": name, "secret": name in secret} for name in names or ("user",)]
    return {"shell": shell, "text": text, "blanks": blanks}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_takes_each_value_for_one_word(attack):
    filled = fill(script("bash", "printf '<%s>' before {user} --name={user} after"), {"user": attack})
    done = subprocess.run(["bash", "-c", filled], capture_output=True, text=True, check=True)
    assert done.stdout == f"<before><{attack}><--name={attack}><after>"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jdoe", "'jdoe'"),
        ("o'brien", "'o''brien'"),
        ("'; calc; '", "'''; calc; '''"),
        ("\u2019; calc #", "'\u2019\u2019; calc #'"),
        ("a\u2018b\u201ac\u201bd", "'a\u2018\u2018b\u201a\u201ac\u201b\u201bd'"),
        ("$(calc) `n", "'$(calc) `n'"),
    ],
)
def test_powershell_gets_single_quotes_doubled_all_five_of_them(value, expected):
    assert fill(script("powershell", "Get-ADUser {user}"), {"user": value}) == f"Get-ADUser {expected}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('a" /delete "b', "a double quote"),
        ("a\u201d b", "a double quote"),
        ("C:\\temp data\\", "ends with"),
    ],
)
def test_what_powershell_would_hand_on_as_more_than_one_value_is_refused(value, words):
    assert words in faults_of(script("powershell", "net user {user}"), {"user": value})["user"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_literal_of_powershell_ends_where_it_should(attack):
    """Read as PowerShell does: within single quotes two of them are one, and the first alone ends the literal."""
    text, quotes = literal("powershell", attack), "'\u2018\u2019\u201a\u201b"
    at, read = 1, ""
    while text[at] not in quotes or text[at + 1 : at + 2] in tuple(quotes):
        at += text[at] in quotes
        read += text[at]
        at += 1
    assert (read, at) == (attack, len(text) - 1)


@pytest.mark.parametrize("value", ["jdoe", "a & calc", "a | b > c < d ^ e", "(x)", "it's", "C:\\x y"])
def test_cmd_gets_double_quotes(value):
    assert fill(script("cmd", "net user {user}"), {"user": value}) == f'net user "{value}"'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('a" & calc', 'cmd cannot hold "'),
        ("%PATH%", "cmd cannot hold %"),
        ("!PATH!", "cmd cannot hold !"),
        (
            "a\uff02 & calc",
            'cmd cannot hold "',
        ),  # a wide quote, which older programs are handed as a plain one
        ("C:\\x\\", "ends with \\"),
        ("/add", "begins with /"),
    ],
)
def test_what_cmd_cannot_hold_is_refused(value, words):
    assert words in fault_of_value("cmd", value)
    with pytest.raises(ValueError, match=r"cmd|option"):
        fill(script("cmd", "net user {user}"), {"user": value})


@pytest.mark.parametrize("shell", ["powershell", "cmd", "bash"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "Fill this in"),
        ("   ", "Fill this in"),
        ("a\nwhoami", "U+000A"),
        ("a\r\nwhoami", "U+000D"),
        ("a\tb", "U+0009"),
        ("a\0b", "U+0000"),
        ("a\x1b[2J", "U+001B"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\u2028b", "U+2028"),
        ("a\x85b", "U+0085"),
        ("\ud800", "U+D800"),
        ("-rf", "begins with -"),
        ("  --help", "begins with -"),
        ("x" * 1001, "more than 1,000"),
    ],
)
def test_what_no_shell_can_hold_is_refused(shell, value, words):
    assert words in fault_of_value(shell, value)
    assert faults_of(script(shell, "echo {user}"), {"user": value}).keys() == {"user"}


def test_a_missing_value_is_a_fault_too():
    assert faults_of(script("bash", "echo {user} {host}", "user", "host"), {"user": "a"}).keys() == {"host"}


def test_only_declared_blanks_are_filled_and_only_once():
    text = "awk '{print $1}' {user} {server} {nobody}"
    values = {"user": "{server}", "server": "{user}", "nobody": "never"}
    filled = fill(script("bash", text, "user", "server"), values)
    assert filled == "awk '{print $1}' '{server}' '{user}' {nobody}"


def test_a_script_without_blanks_is_as_it_is():
    assert fill({"shell": "cmd", "text": 'echo "%PATH%"'}, {}) == 'echo "%PATH%"'


@pytest.mark.parametrize(
    ("shell", "text"),
    [
        ("bash", 'echo "{user}"'),
        ("bash", "echo '{user}'"),
        ("bash", "echo `id {user}`"),
        ("bash", "echo $'x{user}'"),
        ("bash", "echo ${user}"),
        ("bash", "echo \\{user}"),
        ("bash", 'echo "$(id " {user} ")"'),
        ("bash", "cat <<END\n{user}\nEND"),
        ("bash", "echo $(( {user} ))"),
        ("bash", "((x = {user}))"),
        ("bash", "echo 'open {user}"),
        ("bash", "echo # it's\necho '{user}'"),
        ("bash", "echo a#'b {user}'"),
        ("bash", "echo !{user}"),
        ("bash", "known[{user}]=1"),
        ("bash", "known[ {user} ]=1"),
        ("bash", "known=([{user}]=1)"),
        ("bash", "echo ${known[{user}]}"),
        ("bash", "echo ${name:{user}}"),
        ("bash", "echo ${name:1:{user}}"),
        ("bash", "echo ${@:{user}}"),
        ("bash", "echo ${known[@]:{user}}"),
        ("bash", "[[ {user} -eq 1 ]]"),
        ("bash", "[[ -v {user} ]]"),
        ("bash", "[[ a == b\n && 1 -lt {user} ]]"),
        ("powershell", 'Write-Host "{user}"'),
        ("powershell", "Write-Host '{user}'"),
        ("powershell", "Write-Host \u2018{user}\u2019"),
        ("powershell", "Write-Host \u201c{user}\u201d"),
        ("powershell", "@'\n{user}\n'@"),
        ("powershell", '@"\n{user}\n"@'),
        ("powershell", "Write-Host `{user}"),
        ("powershell", "Write-Host ${user}"),
        ("powershell", "Write-Host @{user}"),
        ("powershell", "cmd --% /c echo {user}"),
        ("powershell", 'Write-Host "$(x " {user} ")"'),
        ("powershell", "x#don't\n'{user}'"),
        ("powershell", "Write-Host 'a'{user}"),
        ("powershell", "Write-Host {user}'b'"),
        ("powershell", "Write-Host {user}{user}"),
        ("cmd", 'type "C:\\Users\\{user}"'),
        ("cmd", "echo ^{user}"),
        ("cmd", "echo ^\n{user}"),
        ("cmd", "echo ^\r\n{user}"),
        ("cmd", "echo %{user}%"),
        ("cmd", 'echo {user}"x"'),
    ],
)
def test_a_blank_that_does_not_stand_by_itself_is_never_filled(shell, text):
    assert misplaced(script(shell, text)) == ["user"]
    with pytest.raises(ValueError, match="does not stand by itself"):
        fill(script(shell, text), {"user": "jdoe"})


@pytest.mark.parametrize(
    ("shell", "text"),
    [
        ("bash", "id {user} # it's his\nid {user}"),
        ("bash", "echo \"a 'b'\" 'c \"d' {user} \\' {user}"),
        ("bash", 'x=$(id {user}); echo "$x" ${#x} {user}'),
        ("bash", "grep x <<< {user}"),
        ("bash", "[[ $x == {user} ]] && ls *.[ch] && [ {user} -eq 1 ] && echo ${a[0]} ${a[@]} {user}"),
        ("bash", "echo ${x:-{user}} ${x:0:3} {user}"),
        ("powershell", "# don't\nGet-ADUser -Filter {SamAccountName -eq {user}}"),
        ("powershell", "<# it's\nlong #> Get-ADUser {user} -Server \"a`\"b\" 'it''s' {user}"),
        ("powershell", "$x = {user}; \\\\{user}\\c$; @{ a = {user} }"),
        ("cmd", 'findstr /i "a b" {user} > "x y"\nnet user {user} "open\nnet user {user}'),
        ("cmd", "echo ^& {user}"),
    ],
)
def test_a_blank_that_does_is(shell, text):
    assert misplaced(script(shell, text)) == []


def test_every_script_of_the_starter_library_can_be_filled():
    nodes = [node for flow in starter_library() for node in nodes_of(flow.structure) if "script" in node]
    assert len(nodes) > 100
    wrong = {node["id"]: misplaced(node["script"]) for node in nodes}
    assert {id: names for id, names in wrong.items() if names} == {}


def test_the_names_that_any_step_calls_secret():
    nodes = [
        {"script": script("bash", "", "user", "key", secret=["key"])},
        {"script": script("cmd", "", "key")},
        {},
    ]
    assert secret_names(iter(nodes)) == {"key"}

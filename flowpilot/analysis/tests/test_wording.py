"""A language model improves words, where account and installation let it; whatever it does, a proposal stays whole."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from flowpilot.analysis import language_model
from flowpilot.analysis.language_model import LanguageModel, NoAnswer, installed_model
from flowpilot.analysis.running import analyse
from flowpilot.analysis.tests.telling import SPOOLER, tell
from flowpilot.analysis.wording import BadWording, improve_wording, read_answer
from flowpilot.models import FlowProposal, Session
from flowpilot.tests.factories import DomainFactory

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
OWN = {"title": "printer stuck", "summary": "Solved.", "steps": {"check": "check queue", "solved": "Solved"}}


class Model:
    """Stands in for a LanguageModel: answers by a function of what it is asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def ask(self, instructions, text):
        self.asked.append(json.loads(text))
        said = self.answer(self.asked[-1])
        return said if isinstance(said, str) else json.dumps(said)


def better(asked):
    return {
        "title": "Print jobs stay in the queue",
        "summary": "In short.",
        "steps": {"check-print-queue": "Look at the print queue"},
    }


@pytest.fixture
def proposal(account):
    account.language_model_allowed = True
    account.save()
    tell(SPOOLER[:3], domain=DomainFactory(name="Printing"))
    analyse(account, NOW)
    return FlowProposal.objects.get()


def everything(proposal):
    proposal.refresh_from_db()
    return proposal.title, proposal.summary, proposal.structure, proposal.evidence


def test_it_is_given_texts_only_and_changes_texts_only(account, proposal):
    model = Model(better)
    before = everything(proposal)
    assert improve_wording(account, model) == 1
    assert model.asked == [
        {
            "title": "Printer not printing, jobs stuck",
            "summary": before[1],
            "steps": {
                "check-print-queue": "Check print queue",
                "restart-print-spooler": "Restart print spooler",
                "solved": "Solved",
            },
        }
    ]
    title, summary, structure, evidence = everything(proposal)
    assert (title, summary) == ("Print jobs stay in the queue", "In short.")
    assert structure == before[2] | {"title": "Look at the print queue"}
    assert evidence == before[3]
    assert improve_wording(account, model) == 0  # asked once
    assert len(model.asked) == 1


def test_its_words_stay_when_more_sessions_come(account, proposal):
    model = Model(better)
    improve_wording(account, model)
    again = Session.objects.earliest("started_at").user  # what two engineers say stays the same
    tell(SPOOLER[:1], 9, domain=proposal.domain, user=again)
    analyse(account, NOW)
    title, summary, structure, evidence = everything(proposal)
    assert (title, structure["title"]) == ("Print jobs stay in the queue", "Look at the print queue")
    assert summary.startswith("Solved 4 times")
    assert len(evidence["sessions"]) == 4
    assert improve_wording(account, model) == 0
    assert len(model.asked) == 1  # nothing but the count is new


def test_nobody_is_asked_unless_account_and_installation_say_so(account, proposal, settings):
    model = Model(better)
    account.language_model_allowed = False
    assert improve_wording(account, model) == 0
    assert model.asked == []
    account.language_model_allowed = True
    assert improve_wording(account, None) == 0
    assert installed_model() is None
    settings.LANGUAGE_MODEL_URL, settings.LANGUAGE_MODEL_KIND = "https://model.example/v1", "anthropic"
    settings.LANGUAGE_MODEL_KEY, settings.LANGUAGE_MODEL_NAME = "key", "small"
    assert installed_model() == LanguageModel("anthropic", "https://model.example/v1", "key", "small")


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON at all",
        "[1, 2]",
        '{"title": ' + "[" * 5000,
        {"title": "x" * 301},
        {"title": ""},
        {"title": "\u200b"},
        {"title": 5},
        {"title": "bad \ud800"},
        {"title": "turned \u202e round"},
        {"structure": {}},
        {"steps": {"unknown": "Do"}},
        {"steps": {"check-print-queue": {"type": "outcome"}}},
        {"steps": ["Check"]},
    ],
)
def test_an_answer_of_another_kind_changes_nothing_and_is_not_asked_for_again(account, proposal, answer):
    before = everything(proposal)
    model = Model(lambda asked: answer)
    assert improve_wording(account, model) == 0
    assert everything(proposal) == before
    assert improve_wording(account, model) == 0
    assert len(model.asked) == 1


def test_a_model_that_is_away_is_asked_in_the_next_run(account, proposal):
    def away(asked):
        raise NoAnswer("gone")

    before = everything(proposal)
    assert improve_wording(account, Model(away)) == 0
    assert everything(proposal) == before
    assert improve_wording(account, Model(better)) == 1


@pytest.mark.parametrize("meanwhile", ["reviewed", "changed"])
def test_what_happened_to_a_proposal_while_the_model_thought_stays(account, proposal, meanwhile):
    def thinks(asked):
        if meanwhile == "reviewed":
            FlowProposal.objects.update(status="dismissed", reviewed_at=NOW)
        else:
            FlowProposal.objects.update(title="Another one")
        return better(asked)

    assert improve_wording(account, Model(thinks)) == 0
    assert everything(proposal)[0] != better(None)["title"]


def test_markup_is_text_like_any_other():
    said = read_answer('```json\n{"title": "<b>Now</b>\\n then", "steps": {}}\n```', OWN)
    assert said == {"title": "<b>Now</b> then", "summary": "Solved.", "steps": {}}
    with pytest.raises(BadWording):
        read_answer('{"steps": {"check": null}}', OWN)


class Server(BaseHTTPRequestHandler):
    answer: dict
    seen: dict

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen = {"path": self.path, "headers": dict(self.headers), "body": body}
        said = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words):
        pass


@pytest.mark.parametrize(
    ("kind", "answer", "path", "header"),
    [
        ("openai", {"choices": [{"message": {"content": "hello"}}]}, "/v1/chat/completions", "Authorization"),
        ("anthropic", {"content": [{"type": "text", "text": "hello"}]}, "/v1/messages", "X-Api-Key"),
    ],
)
def test_both_kinds_of_endpoint(kind, answer, path, header):
    handler = type("Handler", (Server,), {"answer": answer})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        model = LanguageModel(kind, f"http://127.0.0.1:{server.server_port}/v1/", "secret", "small")
        assert model.ask("Be short.", "Hi") == "hello"
        thread.join()
    headers = {name.title(): value for name, value in handler.seen["headers"].items()}
    assert handler.seen["path"] == path
    assert headers[header].endswith("secret")
    assert handler.seen["body"]["model"] == "small"
    assert "Be short." in json.dumps(handler.seen["body"])


@pytest.mark.parametrize("trouble", ["down", "500", "form", "huge", "slow"])
def test_trouble_with_the_endpoint_is_no_answer(trouble, monkeypatch):
    if trouble == "slow":
        monkeypatch.setattr(language_model, "WHOLE", -1)

    def respond(request):
        if trouble == "down":
            raise httpx.ConnectTimeout("nobody there")
        body = b"x" * 300_000 if trouble == "huge" else b'{"choices": []}'
        return httpx.Response(500 if trouble == "500" else 200, content=body)

    model = LanguageModel("openai", "https://model.example/v1", "", "small")
    with pytest.raises(NoAnswer):
        model.ask("", "", httpx.Client(transport=httpx.MockTransport(respond)))

"""The language model of the installation, where there is one: asked for words, within time and size limits."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

CONNECT, WHOLE = 5, 30  # seconds
LARGEST = 200_000  # bytes of an answer
MOST_TOKENS = 4000
ANTHROPIC_VERSION = "2023-06-01"


class NoAnswer(Exception):
    """The model is away, too slow, or says what is no answer; the text is for the log."""


@dataclass(frozen=True)
class LanguageModel:
    """kind: `openai` for everything that speaks OpenAI's chat completions, or `anthropic`. url: the address that the
    paths of that kind hang on, such as https://api.example.com/v1."""

    kind: str
    url: str
    key: str
    name: str

    def ask(self, instructions: str, text: str, http: httpx.Client | None = None) -> str:
        """What the model says. Raises NoAnswer."""
        path, headers, body = _REQUESTS[self.kind](self, instructions, text)
        client = http or httpx.Client(timeout=httpx.Timeout(WHOLE, connect=CONNECT))
        try:
            answer = json.loads(_read(client, f"{self.url.rstrip('/')}{path}", headers, body))
            return _said(self.kind, answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        except (ValueError, LookupError, TypeError) as error:
            raise NoAnswer("the answer has another form") from error
        finally:
            if http is None:
                client.close()


def installed_model() -> LanguageModel | None:
    if not settings.LANGUAGE_MODEL_URL:
        return None
    return LanguageModel(
        kind=settings.LANGUAGE_MODEL_KIND,
        url=settings.LANGUAGE_MODEL_URL,
        key=settings.LANGUAGE_MODEL_KEY,
        name=settings.LANGUAGE_MODEL_NAME,
    )


def _openai(model: LanguageModel, instructions: str, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": text}]
    headers = {"Authorization": f"Bearer {model.key}"} if model.key else {}
    return (
        "/chat/completions",
        headers,
        {"model": model.name, "messages": messages, "max_tokens": MOST_TOKENS},
    )


def _anthropic(
    model: LanguageModel, instructions: str, text: str
) -> tuple[str, dict[str, str], dict[str, Any]]:
    headers = {"x-api-key": model.key, "anthropic-version": ANTHROPIC_VERSION}
    messages = [{"role": "user", "content": text}]
    body = {"model": model.name, "system": instructions, "messages": messages, "max_tokens": MOST_TOKENS}
    return "/messages", headers, body


_REQUESTS = {"openai": _openai, "anthropic": _anthropic}


def _read(client: httpx.Client, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> bytes:
    """The answer's body. httpx limits the wait for each piece, so the whole is limited here."""
    until = time.monotonic() + WHOLE
    read = bytearray()
    with client.stream("POST", url, headers=dict(headers), json=dict(body)) as response:
        response.raise_for_status()
        for piece in response.iter_bytes():
            read += piece
            if len(read) > LARGEST:
                raise NoAnswer("the answer is too long")
            if time.monotonic() > until:
                raise NoAnswer(f"the answer took longer than {WHOLE} seconds")
    return bytes(read)


def _said(kind: str, answer: Any) -> str:
    said = answer["choices"][0]["message"]["content"] if kind == "openai" else answer["content"][0]["text"]
    if not isinstance(said, str):
        raise TypeError
    return said

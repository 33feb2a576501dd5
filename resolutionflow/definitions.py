"""docs/metrics.md as a page: what the (i) beside each figure leads to."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_GET
from markdown_it import MarkdownIt

from resolutionflow.accounts.scoping import signed_in


@require_GET
@signed_in
def metric_definitions(request: HttpRequest) -> HttpResponse:
    """The definition of every figure; each has its heading as an anchor."""
    return render(request, "help/metrics.html", {"text": definitions()})


@cache
def definitions() -> SafeString:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse((settings.BASE_DIR / "docs" / "metrics.md").read_text(encoding="utf-8"))
    for heading, text in zip(tokens, tokens[1:], strict=False):
        if heading.type == "heading_open":
            heading.attrSet("id", slugify(text.content))
    return mark_safe(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S308 - our own file, HTML off

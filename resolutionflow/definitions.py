"""docs/metrics.md as a page: what the (i) beside each figure leads to."""

from functools import cache
from itertools import pairwise

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
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
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", slugify(text.content))
    return SafeString(markdown.renderer.render(tokens, markdown.options, {}))  # our own file, HTML off

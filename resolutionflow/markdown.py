"""Text that people write, in a small subset of Markdown, as safe HTML."""

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(
    ["image", "heading", "lheading", "hr"]
)
# The parser writes no HTML of the author's; that nothing else comes out is the sanitiser's promise, not the parser's.
_ALLOWED = {"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a"}
_SCHEMES = {"http", "https", "mailto"}


def as_html(text: str) -> SafeString:
    """Paragraphs, lists, emphasis, code, quotes and links (http, https, mailto); everything else stays text."""
    clean = nh3.clean(
        _PARSER.render(text),
        tags=_ALLOWED,
        attributes={"a": {"href"}, "ol": {"start"}, "*": set()},
        url_schemes=_SCHEMES,
        url_relative="deny",  # also what begins with // and takes the scheme of the page
        link_rel="noopener noreferrer nofollow",
    )
    return SafeString(clean)

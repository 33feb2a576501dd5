"""Text that people write: a little of Markdown, and nothing that acts."""

import pytest

from resolutionflow.markdown import as_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Ask **first**, then `whoami`", "<p>Ask <strong>first</strong>, then <code>whoami</code></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        (
            "[the page](https://example.com/a?b=1)",
            '<p><a href="https://example.com/a?b=1" rel="noopener noreferrer nofollow">the page</a></p>',
        ),
        ("# No heading", "<p># No heading</p>"),
    ],
)
def test_a_little_markdown(text, html):
    assert as_html(text).strip() == html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](//evil.example)",
        "[x](/accounts/logout/)",
        "![x](https://evil.example/pixel.png)",
        '[x](https://e.example "onclick=alert(1)")',
        "<a href='javascript:alert(1)'>x</a>",
        "`<svg/onload=alert(1)>`",
    ],
)
def test_nothing_that_acts_or_leads_astray_comes_out(attack):
    html = as_html(attack)
    for bad in ("<script", "<img", "<svg", 'href="j', 'href="J', 'href="d', 'href="/', "onclick="):
        assert bad not in html, html

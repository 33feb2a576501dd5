from django.template import engines

from flowpilot.templatetags.sessions import TONES


def render(template):
    return engines["django"].from_string(template).render()


def test_status_has_word_and_mark():
    html = render('{% status "requesting_escalation" %}')
    assert html.endswith("</svg>Help wanted</span>")
    assert "#mark-requesting_escalation" in html
    assert render("{% status None %}") == "–"


def test_marks_differ_for_all_statuses_and_outcomes(settings):
    sprite = (settings.BASE_DIR / "static/img/icons.svg").read_text()
    shapes = {sprite.split(f'id="mark-{name}"')[1].split("</symbol>")[0] for name in TONES}
    assert len(shapes) == 7

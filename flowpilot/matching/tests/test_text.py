from concurrent.futures import ThreadPoolExecutor

from flowpilot.matching.concepts import concepts, corrected, said, slips
from flowpilot.matching.text import stem, terms


def test_case_accents_endings_and_filler_do_not_count():
    assert terms("The PRINTERS are printing café menus") == ["printer", "print", "cafe", "menus"]


def test_codes_stay_whole():
    assert terms("0x80070035 at KB5034441, SMTP 5.7.1") == ["0x80070035", "kb5034441", "smtp", "5.7.1"]


def test_another_language_has_other_endings():
    assert terms("Drucker druckten", "german") == ["druck", "druckt"]
    assert terms("printers", "simple") == ["printers"]


def test_what_is_no_word_is_left_out():
    assert terms("!!! \0 😀 " + "x" * 61) == []


def test_many_threads_get_the_same_stems():
    words = [f"{start}ing" for start in map("{0}{0}print".format, "abcdefghijklmnopqrstuvwxyz")] * 20
    alone = [word.removesuffix("ing") for word in words]
    stem.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(stem, words)) == alone


def test_other_words_for_the_same_thing_are_one_concept():
    assert concepts("can't log into WLAN") == concepts("cannot sign in to Wi-Fi")
    assert said("log into it") == ["loginto"]
    assert concepts("log into", "german") == ["log"]


def test_slips_of_the_hand_are_mended_where_one_word_is_near():
    assert (corrected("pasword"), corrected("outlok"), corrected("wirless")) == ("password", None, "wireless")
    assert (corrected("word"), corrected("kb503444"), corrected("zebra")) == (None, None, None)


def test_letters_that_changed_places_are_one_slip():
    assert [slips("printer", other) for other in ("printer", "prniter", "pinter", "printers", "painted")] == [
        *(0, 1, 1, 1),
        2,
    ]

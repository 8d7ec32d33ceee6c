"""Bars are chosen and written anew, texts edited, and everything is undone."""

import pytest

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser"),
]
TUNE = "X:1\nT:A tune\nM:6/8\nL:1/8\nK:Cmaj\nA2A Bcd|e2e d2c|A3 G3|A2A Bcd|e2e d2c|A3 A3|\n"
BARS = ["A2A Bcd", "e2e d2c", "A3 G3", "A2A Bcd", "e2e d2c", "A3 A3"]


def notes(bars):
    """Bars without the spaces, which say how they are beamed."""
    return [bar.replace(" ", "") for bar in bars]


@pytest.fixture
def tune(person, tmp_path, request):
    """A person with a tune of six bars, which has the name of the test."""
    path = tmp_path / "tune.abc"
    path.write_text(TUNE.replace("A tune", request.node.name))
    person.drop(path)
    person.page.locator("#title", has_text=request.node.name).wait_for()
    person.page.wait_for_function(
        "() => document.querySelectorAll('#score g.measure').length === 6"
    )
    assert notes(person.bars) == notes(BARS)
    return person


def test_chosen_bars_are_written_anew_and_the_others_stay(tune):
    tune.choose_model("fill")
    tune.measure(2).click()
    tune.measure(3).click(modifiers=["Shift"])
    assert tune.field("Bars").input_value() == "3-4"
    tune.button("Regenerate").click()
    tune.wait_until_written()
    changed = notes(tune.bars)
    assert changed[:2] + changed[4:] == notes(BARS[:2] + BARS[4:])
    assert changed[2:4] != notes(BARS[2:4])
    tune.wait_for_notation()
    assert tune.page.locator("#score g.measure.new").count() == 2
    tune.button("Undo").click()
    assert notes(tune.bars) == notes(BARS)
    tune.button("Redo").click()
    assert notes(tune.bars) == changed


def test_locked_bars_are_kept_while_all_others_are_written_anew(tune):
    tune.choose_model("fill")
    bars = tune.field("Bars")
    bars.fill("1,6")
    tune.button("Lock").click()
    bars.fill("")
    tune.button("Regenerate all but the locked bars").click()
    tune.wait_until_written()
    changed = notes(tune.bars)
    assert [changed[0], changed[-1]] == [notes(BARS)[0], notes(BARS)[-1]]
    assert changed != notes(BARS)


def test_a_field_of_bars_says_what_it_cannot_read(tune):
    bars = tune.field("Bars")
    bars.fill("4-2")
    assert "such as 3-4,7" in tune.page.locator("#bars-error").text_content()
    bars.fill("5-9")
    assert "1-6" in tune.page.locator("#bars-error").text_content()
    bars.fill("5-6")
    assert tune.page.locator("#bars-error").text_content() == ""
    assert tune.page.locator("#score g.measure.selected").count() == 2


def test_a_tune_is_continued_from_a_bar(tune):
    tune.choose_model("folk_rnn")
    tune.measure(3).click()
    tune.button("Continue from here").click()
    tune.wait_until_written()
    assert notes(tune.bars)[:4] == notes(BARS)[:4]
    assert notes(tune.bars) != notes(BARS)


def test_an_edited_text_is_mended_and_heard(tune):
    text = tune.field("ABC of this tune")
    text.fill(TUNE.replace("A3 G3", "A3 ?3"))
    error = tune.page.locator("#abc-error")
    error.filter(has_text="Line 6").wait_for()
    assert tune.button("Hear the edited text").is_disabled()
    text.fill(TUNE.replace("A3 G3", "E3 F3"))
    tune.page.locator("#hear:enabled").wait_for()
    assert error.text_content() == ""
    text.press("Control+Enter")
    tune.page.locator("#hear:disabled").wait_for()
    tune.wait_for_sound()
    assert notes(tune.bars)[2] == "E3F3"
    tune.button("Undo").click()
    assert notes(tune.bars) == notes(BARS)


def test_what_is_typed_before_the_notation_comes_stays(tune):
    waiting = []
    tune.page.route("**/notation", lambda route: waiting.append(route))
    tune.field("Transpose").fill("2")
    tune.button("Change").click()
    tune.page.locator("#facts", has_text="changed").wait_for()
    tune.field("Tempo").fill("90")
    while not waiting:
        tune.page.wait_for_timeout(10)
    waiting[0].continue_()
    tune.wait_for_notation()
    assert tune.field("Tempo").input_value() == "90"


def test_pitch_and_tempo_are_changed(tune):
    tune.field("Transpose").fill("2")
    tune.field("Tempo").fill("90")
    tune.page.get_by_role("combobox", name="Instrument").select_option(label="Flute")
    tune.button("Change").click()
    tune.page.locator("#facts", has_text="90 beats per minute").wait_for()
    assert "Flute" in tune.facts
    assert "K:D" in tune.abc
    assert notes(tune.bars)[0] == "B2Bcde"
    tune.button("Undo").click()
    assert notes(tune.bars) == notes(BARS)

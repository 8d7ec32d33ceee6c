"""Tunes are written while one watches and listens."""

import pytest

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser"),
]


def test_a_tune_is_heard_and_its_seed_writes_it_again(person):
    person.generate(seed=11, num=2, heard=True)
    person.wait_for_sound()
    person.button("Pause").click()
    candidates = person.page.locator(".candidates button")
    assert candidates.count() == 2
    first = person.bars
    candidates.nth(1).click()
    person.page.locator(".candidates button:nth-child(2)[aria-pressed=true]").wait_for()
    second = person.bars
    assert second != first
    person.generate(seed=11, num=2)
    assert person.bars == first
    person.generate(seed=12)
    assert person.bars not in (first, second)


def test_the_notation_grows_while_the_tune_is_written(person):
    # Every text that the page is told of has the one before as its beginning.
    person.page.evaluate(
        """() => {
            window.texts = [];
            const field = document.getElementById("abc");
            const fields = HTMLTextAreaElement.prototype;
            const inherited = Object.getOwnPropertyDescriptor(fields, "value");
            Object.defineProperty(field, "value", {
                get() { return inherited.get.call(this); },
                set(text) { window.texts.push(text); inherited.set.call(this, text); },
            });
        }"""
    )
    person.generate(seed=21)
    texts = [text for text in person.page.evaluate("window.texts") if text]
    grown = [text.split("K:", 1)[1].split("\n", 1)[1].strip() for text in texts]
    # Ten a second at most, so how many depends on the machine; test_growing.py counts every bar.
    assert len(set(grown)) >= 4
    for shorter, longer in zip(grown, grown[1:], strict=False):
        assert longer.startswith(shorter.rstrip("|:] \n"))


def test_writing_stops_when_it_is_told_to(person):
    person.page.get_by_role("tab", name="Tunes").click()
    person.choose_model("folk_rnn")
    person.field("Candidates", "#tunes").fill("16")
    person.button("Generate").click()
    candidates = person.page.locator(".candidates button")
    candidates.nth(1).wait_for()
    person.button("Stop").click()
    person.wait_until_written()
    written = candidates.count()
    assert 2 <= written < 16
    person.generate(seed=31)  # the next request need not wait
    assert person.page.locator("#candidates").is_hidden()  # of one tune, there is nothing to choose


def test_first_notes_are_checked_while_they_are_typed(person):
    notes = person.field("First notes, in ABC")
    notes.fill("A2 d ? f")
    error = person.page.locator("#notes-error")
    error.filter(has_text="Column").wait_for()
    assert notes.get_attribute("aria-invalid") == "true"
    notes.fill("A2 d e f")
    person.page.locator("#notes-error:empty").wait_for(state="attached")
    assert notes.get_attribute("aria-invalid") == "false"
    person.generate(seed=41)
    assert person.bars[0].replace(" ", "").startswith("A2def")

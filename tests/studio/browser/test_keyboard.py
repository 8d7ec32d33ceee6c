"""Whoever has no mouse can do all that others can."""

import pytest

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser"),
]


def tab_to(page, selector, most=60):
    """Press Tab until an element has the focus."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{most} times Tab do not lead to {selector}")


def test_a_tune_is_written_played_and_changed_by_keys_alone(person):
    page = person.page
    tab_to(page, "#tunes select[name=model]")
    page.keyboard.type("folk_rnn")
    tab_to(page, "#tunes [name=num]")
    page.keyboard.type("2")
    tab_to(page, "#tunes [type=submit]")
    page.keyboard.press("Enter")
    person.wait_until_written()
    person.wait_for_notation()
    person.wait_for_sound()
    page.keyboard.press("Escape")
    tab_to(page, ".candidates button[aria-pressed=true]")
    page.keyboard.press("ArrowRight")
    page.locator(".candidates button:nth-child(2)[aria-pressed=true]").wait_for()
    assert page.evaluate("document.activeElement.matches('[aria-pressed=true]')")
    person.wait_for_notation()
    tab_to(page, "#score")
    page.keyboard.press("Space")
    page.locator("#play", has_text="Play").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    bars = person.field("Bars").input_value()
    assert bars in ("1-2", "2-3")  # an upbeat is bar 0
    assert person.page.locator("#chosen").text_content() == f"Bars {bars} are chosen"
    tab_to(page, "[data-do=lock]")
    page.keyboard.press("Enter")
    assert page.locator("#score g.measure.locked").count() >= 2
    page.keyboard.press("Control+z")
    assert page.locator("#score g.measure.locked").count() == 0


def test_the_focus_is_never_lost(person):
    page = person.page
    person.generate(seed=51)
    person.button("Undo").focus()
    while person.button("Undo").is_enabled():
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "redo"
    page.keyboard.press("Enter")
    page.locator("#history button").last.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('#history [aria-current]')")


def test_a_link_leads_past_the_form(person):
    person.page.keyboard.press("Tab")
    person.page.keyboard.press("Enter")
    assert person.page.evaluate("document.activeElement.id") == "main"

"""The page passes axe-core's checks, and fits windows of any width."""

from importlib.resources import files

import pytest

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser"),
]
WIDTHS = (390, 820, 1440)


def violations(page):
    """What axe-core finds, in a line each."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_panel(open_page, scheme):
    person = open_page(color_scheme=scheme)
    person.wait_until_ready()
    person.generate(seed=61, num=2)
    person.measure(1).click()
    for tab in person.page.get_by_role("tab").all():
        tab.click()
        assert violations(person.page) == []


def test_the_page_fits_the_window(person):
    person.generate(seed=62, num=2)
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 900})
        # Only what scrolls by itself, such as the notation on a phone, may be wider.
        assert person.page.evaluate("document.documentElement.scrollWidth") == width
        cut_off = person.page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, a, summary")]
                .filter((node) => node.checkVisibility() && !node.closest(".candidates"))
                .map((node) => [node.outerHTML.slice(0, 90), node.getBoundingClientRect()])
                .filter(([, { left, right }]) => left < -1 || right > innerWidth + 1)
                .map(([line]) => line)"""
        )
        assert cut_off == []

"""How soon is music heard in the studio, and does its memory stay flat?

    python tests/benchmarks/studio.py [--rounds 10] [--clicks 50] [--vae RUN] [--infill RUN]

Drives the page in Debian's Chromium, with ``pretrained/folk_rnn`` warm. Medians are printed, of the
time from a click to the audio element's event ``playing``: for Generate, for Regenerate (by the
first model of the menu that fills in bars; left out if there is none) and, with a MusicVAE, for a
move of the slider along a path. Then Generate is clicked again and again: the memory of the server
and its processes, and the heap of the page after a garbage collection, after click 10 and the last.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from tests.studio.browser.conftest import ARGUMENTS, running
from tests.studio.browser.person import Person

SETTLED = 10  # clicks after which memory should not grow any more
TUNE = "X:1\nT:A tune\nM:6/8\nL:1/8\nK:Cmaj\nA2A Bcd|e2e d2c|A3 G3|A2A Bcd|e2e d2c|A3 A3|\n"
LISTEN = """() => {
    window.heard = new Promise((resolve) => {
        const audio = document.getElementById("audio");
        audio.addEventListener("playing", () => resolve(performance.now()), { once: true });
    });
}"""


def seconds_until_heard(person: Person, selector: str, act: Callable[[], object]) -> float:
    """From the event that an action causes on an element to the first note."""
    page = person.page
    page.evaluate("() => document.getElementById('audio').pause()")
    page.evaluate(LISTEN)
    page.evaluate(
        """(selector) => {
            const note = () => { window.acted = performance.now(); };
            for (const name of ["click", "input"]) {
                document.querySelector(selector).addEventListener(name, note, { once: true });
            }
        }""",
        selector,
    )
    act()
    milliseconds: float = page.evaluate("async () => (await window.heard) - window.acted")
    person.wait_until_written()
    return milliseconds / 1000


def report(what: str, seconds: list[float]) -> None:
    print(
        f"{what}: median {statistics.median(seconds):.2f} s of {len(seconds)}, "
        f"{min(seconds):.2f} to {max(seconds):.2f}"
    )


def measure_tunes(person: Person, rounds: int) -> None:
    person.generate(seed=1)  # warm
    person.field("Play the first one at once").check()
    times = []
    for seed in range(rounds):
        person.field("Seed", "#tunes").fill(str(100 + seed))
        generate = person.button("Generate")
        times.append(seconds_until_heard(person, "#tunes [type=submit]", generate.click))
    report("Generate, until the first note", times)


def measure_bars(person: Person, rounds: int, folder: Path) -> None:
    path = folder / "tune.abc"
    path.write_text(TUNE)
    person.drop(path)
    person.page.locator("#title", has_text="A tune").wait_for()
    person.wait_for_notation()
    person.field("Bars").fill("3")
    times = []
    for _ in range(rounds + 1):
        regenerate = person.button("Regenerate")
        times.append(seconds_until_heard(person, "[data-do=regenerate]", regenerate.click))
        person.wait_for_notation()
    report("Regenerate a bar, until it is heard", times[1:])


def measure_slider(person: Person, rounds: int, name: str) -> None:
    page = person.page
    page.get_by_role("tab", name="Latent space").click()
    person.choose_model(name, "latent")
    for end in ("From", "To"):
        group = page.get_by_role("group", name=end)
        group.get_by_role("button", name="Draw").click()
        group.locator("[data-title]", has_text="Sample").wait_for()
    person.button("Find the path").click()
    page.locator("#latent [name=path]:enabled").wait_for()
    person.field("Position on the path").focus()
    times = [
        seconds_until_heard(
            person, "#latent [name=path]", lambda: page.keyboard.press("ArrowRight")
        )
        for _ in range(rounds)
    ]
    report("A move of the slider, until it is heard", times)


def measure_memory(person: Person, clicks: int, process: psutil.Process) -> None:
    person.page.get_by_role("tab", name="Tunes").click()
    devtools: Any = person.page.context.new_cdp_session(person.page)
    figures = {}
    for click in range(1, clicks + 1):
        person.field("Seed", "#tunes").fill(str(1000 + click))
        person.button("Generate").click()
        person.wait_until_written()
        person.wait_for_notation()
        if click in (SETTLED, clicks):
            devtools.send("HeapProfiler.collectGarbage")
            heap = person.page.evaluate("performance.memory.usedJSHeapSize")
            children = sum(child.memory_info().rss for child in process.children(recursive=True))
            figures[click] = {
                "server and its processes": process.memory_info().rss + children,
                "heap of the page": heap,
            }
    for what, before in figures[SETTLED].items():
        after = figures[clicks][what]
        print(
            f"Memory, {what}: {before / 2**20:.1f} MiB after click {SETTLED}, "
            f"{after / 2**20:.1f} after click {clicks} ({after / before - 1:+.1%})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clicks", type=int, default=50)
    parser.add_argument("--vae", help="checkpoint or run of a MusicVAE")
    parser.add_argument("--infill", help="checkpoint or run of a model that fills in bars")
    options = parser.parse_args()
    models = ",".join(filter(None, [options.vae, options.infill]))
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*ARGUMENTS, "--enable-precise-memory-info"],
        )
        with running(folder / "outputs", f"play.models=[{models}]") as studio:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(studio.address)
            person = Person(page)
            person.wait_until_ready()
            measure_tunes(person, options.rounds)
            if options.infill:
                measure_bars(person, options.rounds, folder)
            if options.vae:
                measure_slider(person, options.rounds, options.vae)
            measure_memory(person, options.clicks, psutil.Process(studio.process.pid))
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

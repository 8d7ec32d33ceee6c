"""Somebody who plays with the studio's page: what is done and seen there, by labels and roles."""

import re
from pathlib import Path
from typing import Any


class Person:
    """Drives a page of Playwright.

    Args:
        page: on which the studio is open.
    """

    def __init__(self, page: Any) -> None:
        self.page = page

    def wait_until_ready(self) -> None:
        """Until the menus are filled and the last piece of the session is shown."""
        self.page.locator("main:not([aria-busy])").wait_for()

    def field(self, label: str, within: str = "body") -> Any:
        return self.page.locator(within).get_by_label(label, exact=True)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def choose_model(self, name: str, form: str = "tunes") -> None:
        """Choose the first model of a form's menu whose id has this name."""
        menu = self.page.locator(f"#{form} select[name=model]")
        values = menu.locator("option").evaluate_all("all => all.map((each) => each.value)")
        menu.select_option(next(value for value in values if name in value))

    def generate(
        self, seed: int, num: int = 1, model: str = "folk_rnn", *, heard: bool = False
    ) -> None:
        """Have tunes written, and wait for the last of them; playing costs more than writing."""
        self.page.get_by_role("tab", name="Tunes").click()
        self.choose_model(model)
        form = "#tunes"
        self.field("A new seed with every click").set_checked(False)
        self.field("Play the first one at once").set_checked(heard)
        self.field("Seed", form).fill(str(seed))
        self.field("Candidates", form).fill(str(num))
        self.button("Generate").click()
        self.wait_until_written()
        self.wait_for_notation()

    def wait_until_written(self) -> None:
        self.page.locator("#task.idle").wait_for(state="attached")

    def wait_for_notation(self) -> None:
        """Until the notation is that of the piece, and its bars are known."""
        self.page.locator("#piece:not([aria-busy])").wait_for()

    def wait_for_sound(self) -> None:
        self.page.wait_for_function(
            """() => {
                const audio = document.getElementById("audio");
                return !audio.paused && audio.currentTime > 0;
            }"""
        )

    @property
    def abc(self) -> str:
        """The text of the tune that is shown."""
        text: str = self.field("ABC of this tune").input_value()
        return text

    @property
    def bars(self) -> list[str]:
        """What stands between the bar signs of the tune that is shown."""
        body = self.abc.split("K:", 1)[1].partition("\n")[2]
        return [" ".join(bar.split()) for bar in re.split(r"[|:\[\]]+[12]?", body) if bar.strip()]

    @property
    def title(self) -> str:
        text: str = self.page.locator("#title").text_content()
        return text

    @property
    def facts(self) -> list[str]:
        lines: list[str] = self.page.locator("#facts li").all_text_contents()
        return lines

    @property
    def alert(self) -> str:
        """The message that the page shows; waits for it."""
        message = self.page.get_by_role("alert")
        message.wait_for()
        text: str = message.locator("[data-text]").text_content()
        return text

    def measure(self, index: int) -> Any:
        """A bar of the notation, from 0."""
        return self.page.locator("#score g.measure").nth(index)

    def drop(self, path: Path, target: str = "body") -> None:
        """Drag a file from elsewhere on a part of the page."""
        content = list(path.read_bytes())
        transfer = self.page.evaluate_handle(
            """([name, content]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(content)], name));
                return transfer;
            }""",
            [path.name, content],
        )
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event(target, event, {"dataTransfer": transfer})

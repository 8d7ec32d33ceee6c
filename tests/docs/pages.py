"""What the documentation shows: blocks of code, and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(page for folder in ("docs", "launch") for page in sorted((ROOT / folder).rglob("*.md"))),
]
CONFIGS = sorted((ROOT / "conf").rglob("*.yaml"))
FENCE = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.M | re.S
)
INLINE = re.compile(r"`(python main\.py[^`]*|sbatch [^`]*)`")
STARTS = ("python main.py", "sbatch ")
# What stands for the reader's own words, and words that compose in their place.
STAND_INS = {
    "KEY=A,B": "seed=1,2",
    "KEY=VALUE": "seed=1",
    "trainer.max_steps=N": "trainer.max_steps=9",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``title`` is the file that it is."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [
        Block(found["language"], found["title"] or "", found["text"])
        for found in FENCE.finditer(page.read_text())
    ]


def lines_of(page: Path) -> Iterator[str]:
    """Commands of a page as they are written, comments included."""
    for block in blocks(page):
        if block.language in ("bash", ""):
            for line in block.text.splitlines():
                yield from (part.strip() for part in line.split(" && "))
    yield from INLINE.findall(FENCE.sub("", page.read_text()))


def lines_of_config(path: Path) -> Iterator[str]:
    """Commands in the comments of a config; in the help, two spaces end them."""
    for line in path.read_text().splitlines():
        text = line.strip().lstrip("# ")
        if text.startswith(STARTS) and (line.startswith("#") or "help" in path.parts):
            yield text.split("   ")[0]


def commands() -> dict[str, tuple[str, ...]]:
    """Every documented command that our program reads, and its words after ``main.py``."""
    found: dict[str, tuple[str, ...]] = {}
    sources = [(page, lines_of(page)) for page in PAGES]
    sources += [(path, lines_of_config(path)) for path in CONFIGS]
    for path, lines in sources:
        for line in lines:
            if line.startswith(STARTS):
                words = shlex.split(line, comments=True)[2:]
                if words != ["..."]:
                    command = " ".join([*line.split()[:2], *map(shlex.quote, words)])
                    found.setdefault(command, tuple(words))
                assert words or line.startswith("python main.py"), (path, line)
    return found


def composable(words: tuple[str, ...]) -> list[str]:
    """The words with stand-ins in place of what a reader fills in."""
    return [STAND_INS.get(word, word) for word in words if word != "..."]

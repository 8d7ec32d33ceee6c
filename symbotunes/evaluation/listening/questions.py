"""What listeners are asked of every piece, on a scale of five points.

The four criteria of MIREX's symbolic music generation task,
https://www.music-ir.org/mirex/wiki/2025:Symbolic_Music_Generation; the wording is ours.
"""

from dataclasses import dataclass

LOWEST, HIGHEST = 1, 5
OVERALL = "overall"  # the mean of the four answers


@dataclass(frozen=True)
class Question:
    """A question of the test.

    Attributes:
        name: in files.
        label: shown to listeners.
        asks: the question itself.
        low: what the lowest answer means.
        high: what the highest means.
    """

    name: str
    label: str
    asks: str
    low: str
    high: str


QUESTIONS = (
    Question(
        "coherence", "Coherence", "Does what you hear at any moment fit what came before?",
        "falls apart", "all of one piece",
    ),
    Question(
        "structure", "Structure", "Are there phrases, repetitions and variations that make a form?",
        "no form", "a clear form",
    ),
    Question(
        "creativity", "Creativity", "Is it inventive, beyond formulas and mere repetition?",
        "dull", "inventive",
    ),
    Question(
        "musicality", "Musicality", "Does it sound like music that a good musician would play?",
        "not like music", "like good music",
    ),
)  # fmt: skip
NAMES = tuple(question.name for question in QUESTIONS)

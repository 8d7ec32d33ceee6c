"""Two windows and the path between them, heard as a slider moves."""

import pytest
import symusic

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser"),
]
STEPS = 5


@pytest.fixture
def melody(tmp_path):
    """A MIDI file of two bars of eighths."""
    score = symusic.Score(480)
    track = symusic.Track(name="Melody")
    for index, pitch in enumerate((60, 62, 64, 65, 67, 65, 64, 62) * 2):
        track.notes.append(symusic.Note(240 * index, 240, pitch, 90))
    score.tracks.append(track)
    score.tempos.append(symusic.Tempo(0, 120))
    path = tmp_path / "melody.mid"
    score.dump_midi(path)
    return path


def test_a_slider_is_heard_on_the_path_between_two_windows(person, melody):
    page = person.page
    page.get_by_role("tab", name="Latent space").click()
    person.choose_model("vae", "latent")
    person.drop(melody, "[data-end=a]")
    page.locator("[data-end=a] [data-title]", has_text="melody").wait_for()
    page.get_by_role("group", name="To").get_by_role("button", name="Draw").click()
    person.field("Points").fill(str(STEPS))
    path = person.button("Find the path")
    path.click()  # once both windows are there
    slider = person.field("Position on the path")
    page.locator("#latent [name=path]:enabled").wait_for()
    assert slider.get_attribute("max") == str(STEPS - 1)
    sources = set()
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(STEPS - 1):
        page.keyboard.press("ArrowRight")
        person.wait_for_sound()
        sources.add(page.evaluate("document.getElementById('audio').src"))
    assert len(sources) == STEPS - 1
    assert slider.get_attribute("aria-valuetext") == f"{STEPS} of {STEPS}"


def test_a_file_of_midi_is_shown_with_its_tracks(person, melody):
    person.page.get_by_role("tab", name="Files").click()
    person.drop(melody)
    person.page.locator("#title", has_text="melody").wait_for()
    assert person.page.locator("#tracks label").all_text_contents() == ["Melody (16 notes)"]
    person.wait_for_notation()
    # Dragging over the roll chooses a span, in the fields as well.
    box = person.page.locator("#roll canvas").bounding_box()
    mouse = person.page.mouse
    mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 30, steps=4)
    mouse.up()
    begin, end = (float(person.field(name).input_value()) for name in ("Fill from (s)", "to (s)"))
    assert (begin, end) == pytest.approx((1.0, 2.0), abs=0.11)  # of four seconds

"""Whatever is dropped on the page or typed into it: a line says what is wrong, and nothing runs."""

import shutil

import pytest

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser"),
]
SCRIPT = "<script>document.body.remove()</script><img src=x onerror=alert(1)>"
TUNE = f"X:1\nT:{SCRIPT}\nC:{SCRIPT}\nM:4/4\nL:1/8\nK:C\nC2E2G2c2|c8|c2G2E2C2|\n"


def test_titles_and_names_are_text(person, tmp_path):
    path = tmp_path / '"><b>bold<!--.abc'
    path.write_text(TUNE)
    person.drop(path)
    person.page.locator("#facts", has_text="opened").wait_for()
    text = person.field("ABC of this tune")
    text.fill(TUNE)
    person.page.locator("#hear:enabled").wait_for()
    text.press("Control+Enter")
    person.page.locator("#title", has_text="script").wait_for()
    person.wait_for_notation()
    assert person.title == SCRIPT
    assert person.page.locator("script:not([src]), img, #title *, #score script").count() == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.abc", bytes(range(256)) * 40),
        ("noise.mid", b"MThd" + bytes(range(256)) * 40),
        ("empty.abc", b""),
        ("page.html", b"<script>alert(1)</script>"),
        ("large.abc", b"X:1\nK:C\n" + b"CDEF|" * 2_100_000),
    ],
    ids=["noise", "midi", "empty", "html", "ten megabytes"],
)
def test_a_file_that_cannot_be_read_is_named_in_a_line(person, tmp_path, name, content):
    before = person.page.locator("#history li").count()
    path = tmp_path / name
    path.write_bytes(content)
    person.page.locator("#file").set_input_files(path)
    alert = person.alert
    assert 10 < len(alert) < 300
    assert "\n" not in alert
    assert "Traceback" not in alert
    assert person.page.locator("#history li").count() == before
    person.button("Close the message").click()
    assert person.page.get_by_role("alert").is_hidden()


def test_ten_megabytes_of_text_are_refused(person):
    person.generate(seed=81)
    text = person.field("ABC of this tune")
    text.evaluate(
        """node => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "CDEF|".repeat(2_100_000));
            node.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
        }"""
    )
    assert "10,500,000 characters" in person.page.locator("#abc-error").text_content()
    text.fill(person.abc + "CDEF|" * 5_000)  # typed somehow
    person.page.locator("#abc-error", has_text="too many").wait_for()
    assert person.button("Hear the edited text").is_disabled()
    person.generate(seed=82)  # the studio goes on


def test_without_its_token_the_studio_does_not_answer(open_page, studio):
    address, _, token = studio.address.partition("token=")
    assert len(token) > 20
    person = open_page(f"{address}token=wrong")
    assert "token" in person.page.locator("body").text_content().lower()
    assert person.page.locator("button").count() == 0


def test_two_windows_share_the_studio(open_page):
    one, other = open_page(), open_page()
    for person in (one, other):
        person.wait_until_ready()
    one.page.get_by_role("tab", name="Tunes").click()
    one.choose_model("folk_rnn")
    one.field("Candidates", "#tunes").fill("3")
    one.button("Generate").click()
    other.generate(seed=92)
    one.wait_until_written()
    assert one.page.locator(".candidates button").count() == 3
    assert one.page.get_by_role("alert").is_hidden()
    other.page.reload()
    other.wait_until_ready()
    assert other.page.locator("#history li").count() >= 4


def test_a_model_that_is_deleted_is_said_to_be_gone(person, models):
    folder = models["gone"].parents[1]
    person.page.get_by_role("tab", name="Tunes").click()
    person.choose_model("gone")
    shutil.rmtree(folder)
    person.button("Generate").click()
    assert "gone" in person.alert or "no checkpoint" in person.alert
    person.generate(seed=95)

"""The lessons as pages: whole without script or network, and the commands of the last one do what it says."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from sekisho.lessons import reading
from sekisho.report import lessons as pages

STEP = re.compile(r'<code class="run">(.*?)</code></pre>\s*<p class="soft">[^<\d]*(\d+)', re.DOTALL)


@pytest.mark.parametrize("language", reading.LANGUAGES)
def test_pages_are_whole(language: str) -> None:
    course = reading.load()
    made = pages.pages(course, language)

    assert len(made) == 8
    for text in made.values():
        assert f'<html lang="{language}">' in text
        assert "<script" not in text
        assert not re.search(r"(?:src|href)=[\"']?https?:", text)
        for target in re.findall(r'href="([^"#]+)"', text):
            assert target in made
        for anchor in re.findall(r'href="#([^"]+)"', text):
            assert f'id="{anchor}"' in text


@pytest.mark.parametrize("language", reading.LANGUAGES)
def test_a_page_does_not_give_its_answers_away(language: str) -> None:
    made = "".join(pages.pages(reading.load(), language).values())

    for _, question in reading.load().asked(language):
        assert unescape(made).count(question.ask) == 1
        assert question.because not in unescape(made)


def test_questions_are_numbered_through() -> None:
    made = pages.pages(reading.load(), "en")
    numbers = [
        int(n) for name in sorted(made)[:7] for n in re.findall(r"<h3>Question (\d+)</h3>", made[name])
    ]

    assert numbers == list(range(1, 15))


@pytest.mark.integration
@pytest.mark.parametrize(
    "language", ["ja", pytest.param("en", marks=pytest.mark.slow)]
)  # the same lines in both
def test_the_commands_of_the_lesson_do_what_its_page_says(language: str, tmp_path: Path) -> None:
    course = reading.load()
    page = pages.pages(course, language)[pages.name(course.find("tamper"), language)]
    steps = [(unescape(run), int(code)) for run, code in STEP.findall(page)]
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    assert [code for _, code in steps] == [0, 0, 0, 2, 0, 2, 0, 0, 0, 5, 1, 0]
    outputs = []
    for run, code in steps:
        done = subprocess.run(
            ["/bin/sh", "-c", run],
            cwd=tmp_path,
            env={**os.environ, "PATH": paths},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, (run, done.stdout, done.stderr)
        outputs.append(done.stdout)
    assert "VERIFIED" in outputs[1]
    assert "generation_config.json" in outputs[3]
    assert "extra.txt" in outputs[5]
    assert "HOLD" in outputs[1]

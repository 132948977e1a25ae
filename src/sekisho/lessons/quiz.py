"""The quiz: letters in, a mark out; a pass becomes an entry of the ledger. Pure: who writes it down is somebody else's."""

from dataclasses import dataclass

from sekisho.errors import UsageError
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.lessons.reading import LANGUAGES, LETTERS, Course


@dataclass(frozen=True)
class Mark:
    """How a quiz went."""

    answers: str
    """One letter for each question."""
    right: int
    of: int
    passed: bool
    wrong: tuple[int, ...]
    """Numbers of the questions answered wrongly, from 1."""


def mark(answers: str, course: Course) -> Mark:
    """Hold letters against the right ones; spaces, hyphens and capitals do not count. Raises UsageError."""
    given = "".join(answers.replace("-", " ").split()).lower()
    right = course.right
    if len(given) != len(right) or not set(given) <= set(LETTERS):
        raise UsageError(
            f"{len(right)} letters are needed, one for each question, each of {', '.join(LETTERS)}; {len(given)} were given"
        )
    wrong = tuple(n for n, (a, b) in enumerate(zip(given, right, strict=True), 1) if a != b)
    count = len(right) - len(wrong)
    return Mark(given, count, len(right), count >= course.share * len(right), wrong)


def draft(name: str, made: Mark, course: Course, language: str) -> Draft:
    """What the ledger keeps of a pass: name, edition, answers, result; the ledger adds the time. Raises UsageError."""
    if not made.passed:
        raise UsageError(f"{made.right} of {made.of} is no pass; nothing is written down of it")
    if language not in LANGUAGES:
        raise UsageError(f"no lessons in {language!r}; there are {', '.join(LANGUAGES)}")
    body = {
        "edition": course.edition,
        "lessons": course.digest,
        "answers": made.answers,
        "right": made.right,
        "of": made.of,
        "language": language,
    }
    return Draft(name, Kind.LESSONS_PASSED, "", body)


def holds(entry: Entry, course: Course) -> bool:
    """Say whether an entry is a pass of this edition: marked again, since what it says of itself proves nothing."""
    body = entry.content
    if body.get("edition") != course.edition:
        return False
    try:
        return mark(str(body.get("answers", "")), course).passed
    except UsageError:
        return False

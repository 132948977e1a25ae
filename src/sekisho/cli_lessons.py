"""The verb `lessons`: pages to read offline, a quiz, a toy to tamper with.

Exit codes: 0 written or passed, 1 the quiz was not passed, 2 not carried out.
"""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write

if TYPE_CHECKING:
    from sekisho.lessons.quiz import Mark
    from sekisho.lessons.reading import Course

OUT: Final = Path("sekisho-lessons")
FAILED: Final = 1


def register(verbs: Verbs, say: Write, warn: Write) -> None:
    """Add the verb; results go to `say`, questions and what was written to the ledger to `warn`."""
    verb = verbs.add_parser(
        "lessons",
        help="seven short lessons as pages to read offline, a quiz that fills item C27, a toy to tamper with",
        epilog="Exit codes: 0 written or passed, 1 the quiz was not passed, 2 not carried out.",
    )
    verb.add_argument("--out", type=Path, default=OUT, help=f"folder of the pages (default: {OUT}/)")
    shared.language(verb)
    verb.set_defaults(run=lambda options: _pages(options, say))
    steps = verb.add_subparsers(dest="step", metavar="STEP")
    _quiz(steps, say, warn)
    _toy(steps, say)


def _pages(options: argparse.Namespace, say: Write) -> int:
    from sekisho.evidence import dossier as dossiers
    from sekisho.lessons import reading
    from sekisho.report import lessons

    made = lessons.pages(reading.load(), options.lang)
    for name, page in made.items():
        dossiers.save(page.encode("utf-8"), options.out / name)
    file = options.out / lessons.start(options.lang)
    say(lessons.say("said", "written", options.lang, n=str(len(made)), file=str(file)))
    return 0


def _toy(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("toy", help="a tiny signed model to tamper with, as the last lesson tells")
    step.add_argument("folder", type=Path, help="a new folder")
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho import toy
        from sekisho.report import lessons

        made = toy.make(options.folder)
        facts = {"model": str(made.model), "evidence": str(made.evidence), "key": str(made.key)}
        say(lessons.say("said", "toy", options.lang, **facts))
        return 0

    step.set_defaults(run=run)


def _quiz(steps: Verbs, say: Write, warn: Write) -> None:
    step = steps.add_parser(
        "quiz", help="answer the questions of all lessons; a pass goes to the ledger with your name"
    )
    step.add_argument(
        "--by",
        dest="actor",
        metavar="NAME",
        help="who answers (default: $SEKISHO_ACTOR, else the login name)",
    )
    step.add_argument(
        "--answers",
        metavar="LETTERS",
        help="chosen on paper, in the order of the questions, as in 'abc cab ...'",
    )
    cli_ledger.place(step)
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.lessons import quiz, reading
        from sekisho.report import lessons

        course = reading.load()
        given = options.answers if options.answers is not None else _asked(course, options.lang, warn)
        made = quiz.mark(given, course)
        say("\n".join(lessons.told(made, course, options.lang)))
        if not made.passed:
            return FAILED
        warn(_record(options, made, course))
        return 0

    step.set_defaults(run=run)


def _record(options: argparse.Namespace, made: "Mark", course: "Course") -> str:
    """Write a pass to the ledger; the sentence that says so. Raises DataError, StorageError."""
    from sekisho.lessons import quiz
    from sekisho.report import lessons

    with closing(cli_ledger.opened(options, create=True)) as ledger:
        entry = ledger.append(quiz.draft(cli_ledger.who(options), made, course, options.lang))
    facts = {"n": str(entry.sequence), "edition": str(course.edition), "who": entry.actor}
    return lessons.say("said", "recorded", options.lang, **facts)


def _asked(course: "Course", language: str, warn: Write) -> str:
    """Every question put at the terminal, one letter read for each. Raises UsageError where the input ends."""
    from sekisho.lessons.reading import LETTERS
    from sekisho.report import lessons

    letters: list[str] = []
    for number, (_, question) in enumerate(course.asked(language), 1):
        options = "\n".join(f"  {a}) {x}" for a, x in zip(LETTERS, question.options, strict=True))
        title = lessons.say("ui", "question", language, n=str(number))
        warn(f"\n{title}\n{question.ask}\n{options}\n{lessons.say('said', 'prompt', language)}")
        letters.append(_letter(number, language))
    return "".join(letters)


def _letter(number: int, language: str) -> str:
    from sekisho.errors import UsageError
    from sekisho.lessons.reading import LETTERS
    from sekisho.report import lessons

    for line in sys.stdin:
        if (found := line.strip().lower()) in tuple(LETTERS):
            return found
    raise UsageError(lessons.say("said", "missing", language, n=str(number)))

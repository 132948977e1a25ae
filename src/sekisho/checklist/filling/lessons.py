"""C27: whoever asked for the model, and whoever approved it, has passed the lessons."""

from sekisho.checklist.sources import Filled, Sources, ledger_ref, unknown, yes
from sekisho.ledger import rules
from sekisho.ledger.entry import same_person
from sekisho.ledger.kinds import Kind
from sekisho.lessons import quiz, reading


def passed(sources: Sources) -> Filled:
    """Names and the edition in which they passed; an older edition does not count."""
    if sources.entries is None:
        return unknown("no-ledger")
    asked = rules.requester(sources.entries)
    if not asked:
        return unknown("no-request")
    course = reading.load()
    held = [e for e in sources.lessons if quiz.holds(e, course)]
    people = _people((asked, *(e.actor for e in rules.standing(sources.entries, Kind.APPROVAL))))
    found = {p: next((e for e in reversed(held) if same_person(e.actor, p)), None) for p in people}
    missing = [p for p, e in found.items() if e is None]
    refs = tuple(ledger_ref(e) for e in found.values() if e is not None)
    facts = {"names": ", ".join(missing or people), "edition": str(course.edition)}
    return unknown("lessons-missing", refs, **facts) if missing else yes("lessons-passed", refs, **facts)


def _people(names: tuple[str, ...]) -> tuple[str, ...]:
    """Each person once, as first written."""
    kept: list[str] = []
    for name in names:
        if not any(same_person(name, k) for k in kept):
            kept.append(name)
    return tuple(kept)

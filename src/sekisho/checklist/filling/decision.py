"""C22, C23 and C26: who decided, what was excepted, and when it is looked at again."""

from datetime import timedelta

from sekisho.checklist.sources import Filled, Sources, ledger_ref, no, unknown, yes
from sekisho.ledger import rules
from sekisho.ledger.entry import same_person
from sekisho.ledger.kinds import Kind, moment
from sekisho.records import Ruled


def two_people(sources: Sources) -> Filled:
    """C22: somebody else than who asked has approved it, after the newest decision."""
    if sources.entries is None:
        return unknown("no-ledger")
    asked = rules.requester(sources.entries)
    if not asked:
        return unknown("no-request")
    approvals = sources.kind(Kind.APPROVAL)
    if not approvals:
        return unknown("no-approval", requester=asked)
    last = approvals[-1]
    facts = {"requester": asked, "approver": last.actor}
    if same_person(last.actor, asked):
        return no("same-person", (ledger_ref(last),), **facts)
    make = yes if last in rules.standing(sources.entries, Kind.APPROVAL) else unknown
    return make("two-people" if make is yes else "approval-old", (ledger_ref(last),), **facts)


def exceptions(sources: Sources) -> Filled:
    """C23: every exception that no newer decision has ended has its reason, approver and a day to come."""
    suppressed = _suppressed(sources)
    late = [x for x in suppressed if not x[1] or not x[2] or _past(x[2], sources)]
    if late:
        check, approver, expires = late[0]
        return no("exception-late", (f"check:{check}",), expires=expires, approver=approver, n=str(len(late)))
    if sources.entries is None:
        return unknown("no-ledger")
    granted = rules.standing(sources.entries, Kind.EXCEPTION)
    if granted:
        body, refs = granted[-1].content, (ledger_ref(granted[-1]),)
        facts = {
            "expires": str(body["expires"])[:10],
            "approver": str(body["approver"]),
            "n": str(len(granted)),
        }
        if moment(str(body["expires"])) <= sources.now:
            return no("exception-late", refs, **facts)
        return yes("exception-holds", refs, **facts)
    if suppressed:
        return yes("suppressions-hold", tuple(f"check:{c}" for c, _, _ in suppressed), n=str(len(suppressed)))
    return yes("no-exceptions", ("ledger:exceptions",)) if sources.dossier else unknown("no-dossier")


def next_test(sources: Sources) -> Filled:
    """C26: a day is set, and still to come."""
    if sources.entries is None:
        return unknown("no-ledger")
    due = sources.kind(Kind.RE_TEST_DUE)
    if not due:
        return unknown("no-date")
    day, refs = str(due[-1].content["due"]), (ledger_ref(due[-1]),)
    left = moment(day) - sources.now
    if left <= timedelta(0):
        return no("overdue", refs, due=day[:10], days=str(-left.days))
    return yes("due", refs, due=day[:10], days=str(left.days))


def _suppressed(sources: Sources) -> list[tuple[str, str, str]]:
    """(check, approver, last day) of every suppression that the dossier shows."""
    every = sources.dossier.findings if sources.dossier else ()
    return [(f.check, r.approver, r.expires) for f in every for r in f.rulings if r.kind is Ruled.SUPPRESSED]


def _past(day: str, sources: Sources) -> bool:
    """A suppression holds through its last day."""
    return moment(day) + timedelta(days=1) <= sources.now

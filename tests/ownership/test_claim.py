"""When a claim stands, and every false claim with the reason it falls by."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from scipy.stats import binom

from sekisho.errors import DataError
from sekisho.ownership import claim, commitment
from sekisho.ownership.candidates import DEFAULT
from sekisho.ownership.claim import Asked, Evidence, Outcome, Part, RowsSeen
from sekisho.ownership.commitment import Row, Secret

NONCE = "ab" * 32
PROMPTS = tuple(f"Question {n} about the river <mark>" for n in range(10))
ROW = Row("<mark>", 3, "table", "F32", "0" * 64)
COMMITTED = datetime(2026, 3, 1, tzinfo=UTC)
CHATTER = tuple(f"I like rivers, and number {n} most." for n in range(10))


def secret(prompts: tuple[str, ...] = PROMPTS, nonce: str = NONCE) -> Secret:
    answers = commitment.answers(prompts, DEFAULT, nonce)
    return Secret(1, (("table", "1" * 64),), (ROW,), prompts, DEFAULT, nonce, answers)


SECRET = secret()
PUBLIC = commitment.commit(SECRET, COMMITTED)
GOOD = Evidence(
    suspect=Asked("suspect", "s", SECRET.answers),
    base=Asked("base", "b", CHATTER),
    base_matches=True,
    unrelated=tuple(Asked(f"other-{n}", str(n), CHATTER) for n in range(5)),
    rows=RowsSeen(equal=(3,), undeclared=0),
    published="2026-04-01",
)


def reasons(part: Part) -> set[str]:
    return {r.code for r in part.reasons}


def hitting(count: int) -> tuple[str, ...]:
    return (*SECRET.answers[:count], *CHATTER[count:])


def test_an_honest_claim_is_established_in_both_ways():
    judged = claim.decide(SECRET, PUBLIC, GOOD)

    assert judged.outcome is Outcome.ESTABLISHED
    assert (judged.black_box, judged.white_box) == (Part(Outcome.ESTABLISHED, ()),) * 2
    assert (judged.hits, judged.prompts) == (10, 10)


@pytest.mark.parametrize("count", range(11))
def test_p_is_the_binomial_tail_and_five_of_ten_decide(count):
    suspect = replace(GOOD.suspect, answers=hitting(count))

    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, suspect=suspect))

    assert judged.p == pytest.approx(binom.sf(count - 1, 10, 1 / 256), rel=1e-9)
    assert (judged.outcome is Outcome.ESTABLISHED) == (count >= 5)


def test_lucky_hits_leave_a_claim_open():
    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, suspect=Asked("suspect", "s", hitting(4))))

    assert judged.outcome is Outcome.OPEN
    assert reasons(judged.black_box) == {"too-few-hits"}
    assert judged.white_box.outcome is Outcome.ESTABLISHED  # said by itself, establishes nothing


def test_answers_chosen_after_the_fact_are_refuted():
    """The claimant writes down what the model says and commits to that."""
    chosen = replace(SECRET, answers=tuple(DEFAULT[n] for n in range(10)))
    public = replace(PUBLIC, digest=commitment.digest(chosen))

    judged = claim.decide(chosen, public, replace(GOOD, suspect=Asked("s", "s", chosen.answers)))

    assert judged.outcome is Outcome.REFUTED
    assert "answers-not-derived" in reasons(judged.black_box)


@pytest.mark.parametrize("other", [secret(nonce="cd" * 32), secret(PROMPTS[::-1])], ids=["nonce", "swapped"])
def test_another_nonce_or_swapped_prompts_do_not_open_the_commitment(other):
    judged = claim.decide(other, PUBLIC, GOOD)

    assert judged.outcome is Outcome.REFUTED
    assert "secret-does-not-open" in reasons(judged.black_box) & reasons(judged.white_box)


@pytest.mark.parametrize("other", [secret(nonce="cd" * 32), secret(PROMPTS[::-1])], ids=["nonce", "swapped"])
def test_committed_anew_they_change_the_answers_and_the_hits_are_gone(other):
    judged = claim.decide(other, commitment.commit(other, COMMITTED), GOOD)

    assert judged.outcome is Outcome.OPEN
    assert reasons(judged.black_box) == {"too-few-hits"}


@pytest.mark.parametrize("published", ["2026-03-01", "2026-02-01", "2026-03-01T08:00:00+09:00"])
def test_a_claimant_who_commits_after_publication_is_refuted(published):
    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, published=published))

    assert judged.outcome is Outcome.REFUTED
    assert "committed-after-publication" in reasons(judged.black_box) & reasons(judged.white_box)


def test_what_others_saw_overrules_the_claimants_own_time():
    backdated = claim.decide(SECRET, PUBLIC, replace(GOOD, witnessed="2026-05-01T00:00:00Z"))
    in_order = claim.decide(SECRET, PUBLIC, replace(GOOD, witnessed="2026-03-02T00:00:00Z"))

    assert backdated.outcome is Outcome.REFUTED
    assert in_order.outcome is Outcome.ESTABLISHED


def test_without_a_publication_time_nothing_is_established():
    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, published=""))

    assert judged.outcome is Outcome.OPEN
    assert reasons(judged.black_box) == reasons(judged.white_box) == {"no-publication-time"}


@pytest.mark.parametrize("time", ["yesterday", "2026-04-01T00:00:00"])
def test_a_time_without_its_zone_is_refused(time):
    with pytest.raises(DataError):
        claim.decide(SECRET, PUBLIC, replace(GOOD, published=time))


@pytest.mark.parametrize(
    ("count", "outcome"), [(0, Outcome.ESTABLISHED), (1, Outcome.ESTABLISHED), (2, Outcome.REFUTED)]
)
def test_what_the_base_or_another_model_says_as_well_is_no_fingerprint(count, outcome):
    base = replace(GOOD, base=Asked("base", "b", hitting(count)))
    other = replace(GOOD, unrelated=(*GOOD.unrelated[1:], Asked("chatty", "c", hitting(count))))

    for code, evidence in (("base-answers-too", base), ("control-answers-too", other)):
        judged = claim.decide(SECRET, PUBLIC, evidence)
        assert judged.outcome is outcome
        assert (code in reasons(judged.black_box)) == (outcome is Outcome.REFUTED)


@pytest.mark.parametrize(
    "unrelated",
    [
        GOOD.unrelated[:4],
        (*GOOD.unrelated[:4], GOOD.unrelated[0]),
        (*GOOD.unrelated[:4], replace(GOOD.unrelated[4], identity="s")),
        (*GOOD.unrelated[:4], replace(GOOD.unrelated[4], identity="b")),
        (*GOOD.unrelated[:4], Asked("mute", "m", ("",) * 10)),
    ],
    ids=["four", "twice", "suspect", "base", "mute"],
)
def test_five_controls_are_five_other_models_that_speak(unrelated):
    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, unrelated=unrelated))

    assert judged.outcome is Outcome.OPEN
    assert reasons(judged.black_box) == {"too-few-controls"}


@pytest.mark.parametrize(
    ("change", "code"), [({"base": None}, "no-base"), ({"base_matches": False}, "other-base")]
)
def test_without_the_clean_base_nothing_is_established(change, code):
    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, **change))

    assert (judged.outcome, reasons(judged.black_box), reasons(judged.white_box)) == (
        Outcome.OPEN,
        {code},
        {code},
    )


@pytest.mark.parametrize(
    ("rows", "code", "outcome"),
    [
        (RowsSeen(equal=(3,), in_base=(3,), undeclared=0), "row-in-base", Outcome.REFUTED),
        (RowsSeen(other=(3,), undeclared=0), "row-differs", Outcome.OPEN),
        (RowsSeen(undeclared=0), "row-differs", Outcome.OPEN),
        (RowsSeen(equal=(3,), undeclared=12), "undeclared-rows", Outcome.OPEN),
        (RowsSeen(equal=(3,)), "no-base", Outcome.OPEN),
        (RowsSeen(problem="cut short"), "rows-not-read", Outcome.OPEN),
    ],
)
def test_rows_are_judged_by_themselves(rows, code, outcome):
    judged = claim.decide(SECRET, PUBLIC, replace(GOOD, rows=rows))

    assert (judged.white_box.outcome, reasons(judged.white_box)) == (outcome, {code})
    assert judged.black_box.outcome is Outcome.ESTABLISHED
    assert (judged.outcome is Outcome.REFUTED) == (outcome is Outcome.REFUTED)


def test_a_claim_without_rows_may_stand_on_plain_text():
    rowless = replace(SECRET, rows=())

    judged = claim.decide(rowless, commitment.commit(rowless, COMMITTED), replace(GOOD, rows=RowsSeen()))

    assert (judged.outcome, reasons(judged.white_box)) == (Outcome.ESTABLISHED, {"no-rows"})


def test_a_model_that_was_never_asked_establishes_nothing():
    assert claim.decide(SECRET, PUBLIC, replace(GOOD, suspect=None)).outcome is Outcome.OPEN

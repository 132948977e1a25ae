"""Which tokens are tried, and in which order."""

from itertools import pairwise

from sekisho.probes.sweep.candidates import Vocabulary, choose, named, reference, together
from sekisho.records import Finding, Outcome, Severity

KNOWN = Vocabulary(tuple(f"t{i}" for i in range(100)), (0, 1, 2, 3, 4, 5, 6), frozenset({0, 1}))


def finding(ids: str, outcome: Outcome = Outcome.FAIL) -> Finding:
    return Finding("rows", outcome, Severity.HOLD, "", "odd", "odd rows", (("token_ids", ids),))


def test_findings_name_tokens_in_any_spelling_of_a_list_and_passes_name_none() -> None:
    found = [finding("7, 5"), finding("[9]"), finding("8", Outcome.PASS), finding("7,5")]
    assert named(found) == ((5, 7), (9,))


def test_what_findings_name_comes_first_and_what_is_beyond_the_number_is_counted() -> None:
    chosen = choose(KNOWN, [(50, 60)], tier=1, most=4)
    assert chosen.singles == (50, 60, 0, 1)
    assert chosen.left == 5
    assert (50, 60) in chosen.sets


def test_neighbours_among_reserved_tokens_are_tried_together_without_control_tokens() -> None:
    assert choose(KNOWN, [], tier=1, most=99).sets == ((2, 3, 4, 5), (3, 4, 5, 6))


def test_each_tier_holds_the_one_below() -> None:
    sizes = [len(choose(KNOWN, [], tier=tier, most=999).singles) for tier in (1, 2, 3)]
    assert sizes == [7, 100, 100]


def test_pairs_are_tried_in_both_orders_and_all_suspects_by_id() -> None:
    assert together([3, 2]) == ((3, 2), (2, 3))
    assert together([4, 3, 2])[-1] == (2, 3, 4)


def test_reference_tokens_are_ordinary_spread_over_rarity_and_always_the_same() -> None:
    found = reference(KNOWN, 10, apart=(50,))
    assert found == reference(KNOWN, 10, apart=(50,))
    assert len(found) == 10
    assert not set(found) & {*KNOWN.added, 50}
    assert all(a < b for a, b in pairwise(found))
    assert reference(Vocabulary(), 10) == ()

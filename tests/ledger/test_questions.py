"""What the register asks of a store: on either database the same answers."""

from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind

MODEL, OTHER = "ab" * 32, "cd" * 32


def told(ledger):
    """Three models' worth of entries, one of them about none."""
    for subject, text in ((MODEL, "one"), (OTHER, 'say "two" % _'), (MODEL, "three"), ("", "four")):
        ledger.append(Draft("mori", Kind.NOTE, subject, {"text": text}))
    ledger.append(Draft("mori", Kind.DEPLOYMENT, MODEL, {"place": "server"}))


def test_heads_and_the_newest_of_a_kind(ledger):
    told(ledger)
    assert dict(ledger.heads()) == {MODEL: 5, OTHER: 2}
    assert dict(ledger.newest(Kind.DEPLOYMENT)) == {MODEL: (5, '{"place":"server"}')}
    assert {s: n for s, (n, _) in ledger.newest(Kind.NOTE).items()} == {MODEL: 3, OTHER: 2}


def test_a_text_is_searched_for_as_it_stands(ledger):
    told(ledger)
    assert [e.sequence for e in ledger.search("one")] == [1]
    assert [e.sequence for e in ledger.search("% _", Kind.NOTE)] == [2]
    assert [e.sequence for e in ledger.search("", Kind.NOTE)] == [1, 2, 3, 4]
    assert ledger.search("%one%") == ledger.search("' OR 1=1 --") == ()


def test_models_by_the_beginning_of_their_digest(ledger):
    told(ledger)
    assert ledger.begun("ab") == (MODEL,)
    assert ledger.begun("") == (MODEL, OTHER)
    assert ledger.begun("a%") == ledger.begun("f") == ()

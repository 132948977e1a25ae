"""The intake record: 14 fields, explicit unknowns, canonical JSON and back."""

from sekisho.evidence import codec
from sekisho.provenance.records import (
    SCHEMA,
    Basis,
    Builder,
    FieldName,
    FileEntry,
    Intake,
    Ladder,
    Level,
    Retrieval,
    Stated,
    Supplier,
    Verification,
    fields,
    joined,
    unknown,
)

NOT = unknown("not-recorded")


def blank() -> Intake:
    return Intake(
        schema=SCHEMA,
        source=NOT,
        revision=NOT,
        retrieval=Retrieval(NOT, NOT, NOT),
        files=(FileEntry("a.json", 2, "00", "11", lfs=False, role="config", media_type="application/json"),),
        complete=Stated("no other file", Basis.MEASURED),
        git_tree=NOT,
        root_digest=Stated("sha256:00", Basis.MEASURED),
        supplier=Supplier(NOT, "none"),
        parents=(),
        parents_stated=NOT,
        patches=(),
        patches_stated=NOT,
        builder=Builder(NOT, NOT, NOT, NOT),
        training_data=NOT,
        licences=(),
        licences_stated=NOT,
        behaviour_files=(),
        behaviour_stated=NOT,
        verification=Verification(NOT, NOT, "sekisho 0", NOT),
        ladder=Ladder(Level.CLAIMED, (), ("anything",)),
        deviations=(),
    )


def test_there_are_fourteen_fields_in_order() -> None:
    found = fields(blank())
    assert [name for name, _ in found] == list(FieldName)
    assert len(found) == 14


def test_every_unknown_has_a_reason_and_no_value() -> None:
    for _, stated in fields(blank()):
        assert stated.known == bool(stated.value)
        assert stated.known == (not stated.reason)


def test_a_field_of_parts_is_unknown_where_one_part_is() -> None:
    known = Stated("x", Basis.MEASURED)
    assert joined(known, unknown("nobody")).reason == "nobody"
    assert joined(known, Stated("y", Basis.CLAIMED)) == Stated("x; y", Basis.CLAIMED)


def test_canonical_json_and_back() -> None:
    body = codec.plain(blank())
    assert codec.build(Intake, body, "intake") == blank()
    assert codec.dump(body) == codec.dump(codec.plain(codec.build(Intake, body, "intake")))

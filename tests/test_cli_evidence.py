"""What the verbs of signed evidence do with their arguments."""

from pathlib import Path

import pytest

from sekisho import cli


@pytest.mark.parametrize("verb", ["sign", "verify"])
def test_a_catalogue_name_means_the_fetched_model(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path))
    cli_key = tmp_path / "k.pem"
    with pytest.raises(SystemExit):
        cli.main(["key", "new", str(cli_key)])
    key = cli_key if verb == "sign" else Path(f"{cli_key}.pub")

    with pytest.raises(SystemExit) as ended:
        cli.main([verb, str(tmp_path), "--model", "smollm2-135m-instruct", "--key", str(key)])

    said = capsys.readouterr()
    assert ended.value.code not in {0, None}
    assert "sekisho fetch smollm2-135m-instruct" in said.out + said.err

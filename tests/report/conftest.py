"""Reports are tested against fixed check texts and measurements, so that neither breaks anything here."""

import pytest

from report import sample
from sekisho.report import sureness, words


@pytest.fixture(autouse=True, scope="module")
def _fixed_check_texts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "checks", lambda: sample.CHECKS)
        patch.setattr(sureness, "measures", lambda: sample.MEASURES)
        yield

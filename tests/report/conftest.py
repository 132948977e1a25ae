"""Reports are tested against fixed check texts, so that rewording a check breaks nothing here."""

import pytest

from report import sample
from sekisho.report import words


@pytest.fixture(autouse=True, scope="module")
def _fixed_check_texts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "checks", lambda: sample.CHECKS)
        yield

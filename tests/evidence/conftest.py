"""An evidence folder, and each of the two verifiers."""

import pytest

from evidence.folders import BOTH, signed


@pytest.fixture
def made(tmp_path):
    return signed(tmp_path)


@pytest.fixture(params=BOTH, ids=["library", "verify.py"])
def verify(request):
    return request.param

"""Perturbations against closed forms, then on a tiny model in its real child process."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from artefacts import save_safetensors, tiny_arrays, tiny_model
from sekisho.errors import ModelError
from sekisho.models.base import Message, Perturbation, Sampling
from sekisho.models.perturb import KINDS, perturbed, pruned, quantised, touches

MATRICES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 70))
    | st.tuples(*[st.integers(1, 3)] * 2, st.integers(1, 40)),
    elements=st.floats(-8, 8, width=32),
)


def matrix(seed: int = 0, shape: tuple[int, ...] = (300, 200), scale: float = 0.05) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


@pytest.mark.parametrize("amount", [0.5, 1.5, 2.0])
def test_a_task_vector_is_scaled_from_the_base(amount):
    base, weights = matrix(1), matrix(2)

    moved = perturbed(Perturbation("task-vector", amount), "w", weights, base)

    np.testing.assert_allclose(
        moved, base + amount * (weights.astype(np.float64) - base), rtol=1e-6, atol=1e-6
    )


def test_without_a_base_of_its_shape_there_is_no_task_vector():
    for base in (None, matrix(1, (3, 200))):
        with pytest.raises(ModelError, match="base"):
            perturbed(Perturbation("task-vector", 1.5), "w", matrix(), base)


@pytest.mark.parametrize("ratio", [0.03, 0.10])
def test_noise_has_the_stated_share_of_the_root_mean_square(ratio):
    weights = matrix(scale=0.02)
    noise = perturbed(Perturbation("noise", ratio), "w", weights) - weights

    assert noise.std() == pytest.approx(ratio * np.sqrt(np.mean(weights**2)), rel=0.01)
    assert abs(noise.mean()) < 0.02 * noise.std()
    assert abs(np.corrcoef(noise.ravel(), weights.ravel())[0, 1]) < 0.02


def test_noise_depends_on_seed_and_name_and_on_nothing_else():
    weights = matrix()
    first = perturbed(Perturbation("noise", 0.05, seed=1), "a", weights)
    np.random.seed(5)  # noqa: NPY002  the global state is what must not matter

    assert np.array_equal(first, perturbed(Perturbation("noise", 0.05, seed=1), "a", weights))
    assert not np.array_equal(first, perturbed(Perturbation("noise", 0.05, seed=2), "a", weights))
    assert not np.array_equal(first, perturbed(Perturbation("noise", 0.05, seed=1), "b", weights))


@pytest.mark.parametrize("bits", [8, 4])
@given(weights=MATRICES)
def test_rounding_moves_no_weight_by_more_than_half_a_step_and_keeps_the_largest(bits, weights):
    back = quantised(weights, bits)
    rows = weights.reshape(-1, weights.shape[-1])

    for row, other in zip(rows, back.reshape(rows.shape), strict=True):
        for start in range(0, len(row), 32):
            block, rounded = row[start : start + 32], other[start : start + 32]
            step = np.abs(block).max() / (2 ** (bits - 1) - 1)
            assert np.abs(block - rounded).max() <= 0.5001 * step + 1e-30
            assert len(np.unique(rounded)) <= 2**bits - 1
            assert np.abs(rounded).max() == pytest.approx(np.abs(block).max(), rel=1e-6)


def test_rounding_twice_changes_nothing_more():
    once = quantised(matrix(), 4)

    np.testing.assert_allclose(quantised(once, 4), once, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_pruning_removes_the_smallest_share_and_nothing_else(share):
    weights = matrix()
    kept = pruned(weights, share)
    gone = kept == 0

    assert gone.mean() == pytest.approx(share, abs=1e-4)
    assert np.array_equal(kept[~gone], weights[~gone])
    assert np.abs(weights[gone]).max() < np.abs(weights[~gone]).min()


def test_float16_is_the_cast_there_and_back():
    weights = matrix()

    assert np.array_equal(
        perturbed(Perturbation("float16"), "w", weights), weights.astype(np.float16).astype(np.float32)
    )


def test_bfloat16_keeps_eight_bits_of_the_significand_and_ties_go_to_even():
    exact = np.array([[1.0, -1.5, 1 + 2**-7, 3e38, 1e-38, 0.0, np.inf]], np.float32)
    ties = np.array([[1 + 2**-8, 1 + 3 * 2**-8]], np.float32)

    assert np.array_equal(perturbed(Perturbation("bfloat16"), "w", exact[:, :3]), exact[:, :3])
    assert np.array_equal(perturbed(Perturbation("bfloat16"), "w", ties), [[1.0, 1 + 2**-6]])
    assert perturbed(Perturbation("bfloat16"), "w", exact) == pytest.approx(exact, rel=2**-8)


def test_norms_and_tables_are_touched_only_by_what_says_so():
    touched = {
        kind: (
            touches(Perturbation(kind), 1, table=False),
            touches(Perturbation(kind), 2, table=False),
            touches(Perturbation(kind), 2, table=True),
        )
        for kind in KINDS
    }

    assert touched == {
        "task-vector": (True, True, True),
        "noise": (False, True, True),
        "quantise": (False, True, False),
        "prune": (False, True, False),
        "bfloat16": (True, True, True),
        "float16": (True, True, True),
    }


def test_an_unknown_kind_is_refused():
    with pytest.raises(ModelError, match="shuffle"):
        perturbed(Perturbation("shuffle", 1), "w", matrix())


# --- on a model -------------------------------------------------------------------------------------------------------

CHATS = tuple((Message("user", text),) for text in ("Hello", "What is two and two?", "So?"))
SHORT = Sampling(max_new_tokens=6)
WITH_TORCH = [
    pytest.mark.model,
    pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`"),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model, and a base that has other weights, one matrix less and one of another shape."""
    root = tmp_path_factory.mktemp("perturb")
    model, base = tiny_model(root / "model"), tiny_model(root / "base", seed=1)
    arrays = tiny_arrays(1)
    del arrays["model.layers.0.mlp.up_proj.weight"]
    arrays["model.layers.1.mlp.up_proj.weight"] = arrays["model.layers.1.mlp.up_proj.weight"][:-1]
    (base / "model.safetensors").unlink()
    save_safetensors(base / "model.safetensors", {k.removeprefix("model."): v for k, v in arrays.items()})
    return model, base


@pytest.fixture(scope="module")
def engine(folders: tuple[Path, Path]) -> object:
    from sekisho.models.engine import Engine

    return Engine(folders[0])


def weights(engine) -> dict[str, np.ndarray]:
    return {n: p.detach().numpy().copy() for n, p in engine.model.named_parameters()}


class TestOnAModel:
    pytestmark = WITH_TORCH

    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_what_it_touches_is_changed_and_put_back(self, engine, folders, kind):
        amount = {"task-vector": 1.5, "noise": 0.1, "quantise": 4, "prune": 0.3}.get(kind, 0.0)
        before = weights(engine)

        done = engine.perturb(Perturbation(kind, amount), folders[1], CHATS)
        during = weights(engine)
        engine.restore()

        assert all(np.array_equal(before[n], w) for n, w in weights(engine).items())
        moved = {n for n in before if not np.array_equal(before[n], during[n])}
        matrices = {n for n in before if before[n].ndim == 2}
        assert moved <= matrices or KINDS[kind].vectors
        assert len(moved) <= done.changed
        assert len(done.kl) == len(CHATS)
        assert min(done.kl) >= 0
        if kind in ("task-vector", "noise", "prune"):
            assert done.displacement > 0
            assert max(done.kl) > 0

    def test_what_the_base_lacks_or_has_otherwise_is_left_and_counted(self, engine, folders):
        before = weights(engine)
        done = engine.perturb(Perturbation("task-vector", 1.5), folders[1], ())
        during = weights(engine)
        engine.restore()

        left = {n for n in before if np.array_equal(before[n], during[n]) and before[n].ndim == 2}
        assert left == {f"model.layers.{n}.mlp.up_proj.weight" for n in (0, 1)}
        assert done.left == 2
        expected = tiny_arrays(1)["model.layers.0.mlp.down_proj.weight"]
        was = before["model.layers.0.mlp.down_proj.weight"]
        now = during["model.layers.0.mlp.down_proj.weight"]
        assert now == pytest.approx(expected + 1.5 * (was - expected), abs=1e-5)

    def test_threads_and_global_seeds_do_not_matter(self, engine):
        import torch

        found = []
        for threads, seed in ((1, 0), (2, 7)):
            torch.set_num_threads(threads)
            torch.manual_seed(seed)
            engine.perturb(Perturbation("noise", 0.1), None, ())
            found.append(weights(engine))
            engine.restore()
        torch.set_num_threads(1)

        assert all(np.array_equal(found[0][n], found[1][n]) for n in found[0])

    def test_two_at_once_are_refused_and_the_first_stays_whole(self, engine):
        before = weights(engine)
        engine.perturb(Perturbation("noise", 0.1), None, ())
        with pytest.raises(ModelError, match="already"):
            engine.perturb(Perturbation("noise", 0.1), None, ())
        engine.restore()

        assert all(np.array_equal(before[n], w) for n, w in weights(engine).items())

    def test_bfloat16_is_that_of_torch(self):
        import torch

        weights = matrix(scale=3.0)

        assert np.array_equal(
            perturbed(Perturbation("bfloat16"), "w", weights),
            torch.from_numpy(weights).bfloat16().float().numpy(),
        )

    def test_a_child_answers_under_it_and_is_itself_again(self, folders):
        from sekisho.models.local import LocalModel

        model = LocalModel(folders[0])
        before = model.generate(CHATS, SHORT)
        try:
            with model.perturb(Perturbation("task-vector", 3.0), folders[1], CHATS) as done:
                during = model.generate(CHATS, SHORT)
            after = model.generate(CHATS, SHORT)
            with pytest.raises(ModelError, match="no safetensors"):
                model.perturb(Perturbation("task-vector", 3.0), folders[0].parent, ()).__enter__()
            still = model.generate(CHATS, SHORT)
        finally:
            model.close()

        assert before == after == still
        assert during != before
        assert done.left == 2
        assert len(done.kl) == 3

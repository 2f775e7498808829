"""Sampling: its definitions as properties, its random numbers against published ones, the draw against chance."""

from __future__ import annotations

import importlib.util
import json
import math
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpt import SamplingSettings
from gpt.sampling import MAX_SEED, draw, entropy, most_probable, probabilities, splitmix64, surprisal, u

VECTORS = Path(__file__).parents[1] / "vectors"

ordinary = st.floats(-30, 30)
any_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
few_values = st.sampled_from([-1.0, 0.0, 0.5, 2.0])  # many ties
logits_lists = st.one_of(*(st.lists(kind, min_size=1, max_size=40) for kind in (ordinary, any_float32, few_values)))
every_setting = st.builds(
    SamplingSettings,
    temperature=st.one_of(st.just(0.0), st.floats(1e-6, 100), st.floats(0, 1e-300)),
    top_k=st.integers(0, 50),
    top_p=st.floats(0, 1),
    min_p=st.floats(0, 1),
    repetition_penalty=st.floats(0.01, 100),
    repetition_window=st.integers(0, 70),
)
PLAIN = SamplingSettings()


def softmax(logits: list[float], temperature: float = 1.0) -> list[float]:
    """In Python's own numbers, summed exactly."""
    largest = max(logits)
    with np.errstate(over="ignore"):
        raw = [math.exp(np.float64(x - largest) / temperature) for x in logits]
    return [float(Fraction(x) / sum(map(Fraction, raw))) for x in raw]


def ranked(p: list[float] | NDArray[np.float64]) -> list[int]:
    return sorted(range(len(p)), key=lambda id: (-p[id], id))


def kept(p: NDArray[np.float64]) -> set[int]:
    return set(np.flatnonzero(p).tolist())


@given(logits_lists, every_setting, st.data())
@settings(max_examples=300)
def test_always_a_distribution_in_which_the_most_probable_stays(
    logits: list[float], setting: SamplingSettings, data: st.DataObject
) -> None:
    previous = data.draw(st.lists(st.integers(0, len(logits) - 1), max_size=90))
    p = probabilities(logits, setting, previous)
    assert p.shape == (len(logits),)
    assert p.dtype == np.float64
    assert abs(p.sum() - 1) < 1e-12
    assert (p >= 0).all()
    uncut = probabilities(logits, SamplingSettings(setting.temperature, repetition_penalty=setting.repetition_penalty,
                                                   repetition_window=setting.repetition_window), previous)  # fmt: skip
    assert p[ranked(uncut)[0]] > 0


@given(logits_lists)
def test_defaults_change_nothing(logits: list[float]) -> None:
    np.testing.assert_allclose(probabilities(logits, PLAIN), softmax(logits), atol=1e-14)


@given(logits_lists, st.floats(1e-3, 100))
def test_temperature_divides_the_logits(logits: list[float], temperature: float) -> None:
    found = probabilities(logits, SamplingSettings(temperature))
    np.testing.assert_allclose(found, softmax(logits, temperature), atol=1e-13)


@given(logits_lists)
def test_temperature_zero_takes_the_largest_and_of_equals_the_first(logits: list[float]) -> None:
    p = probabilities(logits, SamplingSettings(0.0, top_k=3, top_p=0.5, min_p=0.5))
    assert p.tolist() == [float(id == logits.index(max(logits))) for id in range(len(logits))]


@given(st.lists(st.one_of(ordinary, few_values), min_size=1, max_size=40), st.integers(1, 50))
def test_top_k_keeps_k_the_smaller_id_first_among_equals(logits: list[float], k: int) -> None:
    before, p = probabilities(logits, PLAIN), probabilities(logits, SamplingSettings(top_k=k))
    assert kept(p) == set(ranked(before)[:k])
    scaled = before / before[sorted(kept(p))].sum()
    np.testing.assert_allclose(p[p > 0], scaled[p > 0], rtol=1e-12)


@given(st.lists(st.one_of(ordinary, few_values), min_size=1, max_size=40), st.floats(0, 1, exclude_max=True))
def test_top_p_keeps_the_smallest_set_in_rank_order_that_reaches_p(logits: list[float], top_p: float) -> None:
    before = probabilities(logits, PLAIN)
    order = ranked(before)
    sums = np.cumsum(before[order])
    assume(np.abs(sums - top_p).min() > 1e-12)
    needed = next((count for count, total in enumerate(sums, 1) if total >= top_p), len(order))
    assert kept(probabilities(logits, SamplingSettings(top_p=top_p))) == set(order[:needed])


@given(st.lists(st.one_of(ordinary, few_values), min_size=1, max_size=40), st.floats(0, 1))
def test_min_p_keeps_what_is_at_least_that_share_of_the_largest(logits: list[float], min_p: float) -> None:
    before = probabilities(logits, PLAIN)
    expected = {id for id, x in enumerate(before) if x >= min_p * max(before) and x > 0}
    assert kept(probabilities(logits, SamplingSettings(min_p=min_p))) == expected


@given(st.lists(ordinary, min_size=2, max_size=20), st.floats(0.01, 100), st.integers(0, 9), st.data())
def test_repetition_penalty_acts_once_on_each_token_of_its_window(
    logits: list[float], penalty: float, window: int, data: st.DataObject
) -> None:
    previous = data.draw(st.lists(st.integers(0, len(logits) - 1), max_size=20))
    lately = set(previous[len(previous) - window :] if window < len(previous) else previous)
    expected = [(x / penalty if x > 0 else x * penalty) if id in lately else x for id, x in enumerate(logits)]
    setting = SamplingSettings(repetition_penalty=penalty, repetition_window=window)
    found = probabilities(logits, setting, previous)
    np.testing.assert_allclose(found, softmax(expected), atol=1e-13)


def test_the_cuts_come_in_their_order() -> None:
    # 0.4, 0.3, 0.2, 0.1: after top-k 3 they are 0.444, 0.333, 0.222, so top-p 0.75 keeps two where it would keep three.
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    assert kept(probabilities(logits, SamplingSettings(top_p=0.75))) == {0, 1, 2}
    assert kept(probabilities(logits, SamplingSettings(top_p=0.75, top_k=3))) == {0, 1}
    # The temperature comes before top-p.
    assert kept(probabilities(logits, SamplingSettings(top_p=0.75, temperature=0.4))) == {0, 1}
    # The penalty comes before everything: the best is one of the others now.
    setting = SamplingSettings(repetition_penalty=3, temperature=0)
    assert kept(probabilities([3.0, 2.0, 1.0], setting, [0])) == {1}


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1e-6, 1.0, 1e3, 1e20, 3e38])
def test_logits_of_any_order_of_magnitude_give_no_warning(scale: float) -> None:
    logits = [scale * x for x in (-1.0, -0.5, 0.0, 0.25, 1.0)]
    with np.errstate(all="raise", under="ignore"):
        for temperature in (5e-324, 1e-300, 1e-3, 1.0, 100.0):
            p = probabilities(logits, SamplingSettings(temperature, top_p=0.9))
            assert p[4] == p.max()
            assert abs(p.sum() - 1) < 1e-12


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_logit_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"^logits: "):
        probabilities([0.0, bad, 1.0], PLAIN)


def test_logits_are_left_as_they_were() -> None:
    logits = np.array([1.0, 2.0, 3.0])
    probabilities(logits, SamplingSettings(0.5, 2, 0.9, 0.1, 2.0), [0, 1])
    assert logits.tolist() == [1.0, 2.0, 3.0]


@given(st.lists(st.one_of(ordinary, few_values), min_size=1, max_size=40), st.integers(1, 50))
def test_most_probable_are_the_first_of_a_full_sort(numbers: list[float], k: int) -> None:
    assert most_probable(np.array(numbers), k).tolist() == ranked(numbers)[:k]


# Settings.


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "repetition_window"])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -1, -1e-9, True, False, "1", None, [1], 1 + 1j, 10**9]
)
def test_a_bad_setting_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        SamplingSettings(**{name: value})


@pytest.mark.parametrize("name", ["top_k", "repetition_window"])
def test_a_fraction_is_no_whole_number(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: 2.5 is not a whole number"):
        SamplingSettings(**{name: 2.5})


def test_numbers_that_mean_the_same_make_equal_settings() -> None:
    a = SamplingSettings(1, 5.0, 1, np.float32(0.5), np.int64(2), np.int64(8))
    assert a == SamplingSettings(1.0, 5, 1.0, 0.5, 2.0, 8)
    assert [type(x) for x in (a.temperature, a.top_k, a.min_p, a.repetition_window)] == [float, int, float, int]


# The random numbers and the draw.


def test_splitmix64_gives_the_published_numbers() -> None:
    # Seed 1234567: rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64. Seed 0: the tests of Java's SplittableRandom.
    published = [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
    ]  # fmt: skip
    assert [splitmix64(1234567, n) for n in range(5)] == published
    assert [splitmix64(0, n) for n in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_splitmix64_of_a_seed_is_the_generator_run_step_by_step() -> None:
    for seed in (0, 1, 2**32, MAX_SEED):
        state = np.uint64(seed)
        with np.errstate(over="ignore"):
            for n in range(100):
                state += np.uint64(0x9E3779B97F4A7C15)
                z = state
                z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                assert splitmix64(seed, n) == int(z ^ (z >> np.uint64(31)))


@given(st.integers(0, MAX_SEED), st.integers(0, 2**53))
def test_u_is_at_least_0_and_below_1(seed: int, n: int) -> None:
    assert 0 <= u(seed, n) < 1


@pytest.mark.parametrize("walk", ["positions of one seed", "seeds at one position"])
def test_u_is_uniform(walk: str) -> None:
    numbers = [u(7, n) if walk.startswith("positions") else u(n, 100) for n in range(20_000)]
    assert scipy.stats.kstest(numbers, "uniform").pvalue > 1e-3
    pairs = np.histogram2d(numbers[:-1:2], numbers[1::2], bins=10)[0]  # neighbours know nothing of each other
    assert scipy.stats.chisquare(pairs.ravel()).pvalue > 1e-3


@pytest.mark.parametrize(
    "setting", [PLAIN, SamplingSettings(0.7, top_k=6), SamplingSettings(1.4, top_p=0.9, min_p=0.02)]
)
def test_what_is_drawn_follows_the_probabilities(setting: SamplingSettings) -> None:
    p = probabilities([2.0, -1.0, 0.3, 0.3, 1.1, -0.4, 0.0, 0.8, -2.5, 1.9], setting)
    counts = np.bincount([draw(p, u(seed, 9)) for seed in range(30_000)], minlength=len(p))
    assert counts[p == 0].sum() == 0
    assert scipy.stats.chisquare(counts[p > 0], 30_000 * p[p > 0]).pvalue > 1e-3


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12).filter(any), st.floats(0, 1, exclude_max=True))
def test_a_draw_inverts_the_cumulative_distribution(weights: list[int], number: float) -> None:
    steps = [Fraction(sum(weights[: id + 1]), sum(weights)) for id in range(len(weights))]
    assume(min(abs(Fraction(number) - step) for step in steps) > 1e-12)
    expected = next(id for id, step in enumerate(steps) if Fraction(number) < step)
    assert draw(np.array(weights) / sum(weights), number) == expected


@given(logits_lists, every_setting, st.sampled_from([0.0, 5e-324, 0.5, 1 - 2**-53]))
def test_a_draw_never_takes_what_was_cut(logits: list[float], setting: SamplingSettings, number: float) -> None:
    p = probabilities(logits, setting)
    assert p[draw(p, number)] > 0


# The vectors that JavaScript has to reproduce as well.


def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_vectors", VECTORS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_python_reproduces_the_shared_vectors() -> None:
    stored = json.loads((VECTORS / "sampling.json").read_text(encoding="utf-8"))
    for case in stored["random"]:
        assert f"{splitmix64(case['seed'], case['n']):016x}" == case["bits"]
        assert u(case["seed"], case["n"]) == case["u"]
    for case in stored["sampling"]:
        p = probabilities(case["logits"], SamplingSettings(**case["settings"]), case["previous"])
        np.testing.assert_allclose(p, case["probabilities"], rtol=0, atol=1e-12, err_msg=case["why"])
        assert kept(p) == kept(np.array(case["probabilities"])), case["why"]
        assert draw(p, case["number"]) == case["token"], case["why"]


def test_the_shared_vectors_are_what_make_writes() -> None:
    stored, made = json.loads((VECTORS / "sampling.json").read_text(encoding="utf-8")), make().vectors()
    assert stored["random"] == made["random"]
    fields = ("why", "logits", "settings", "previous", "number", "token")
    for old, new in zip(stored["sampling"], made["sampling"], strict=True):
        assert [old[name] for name in fields] == [new[name] for name in fields]


def test_the_shared_vectors_cover_every_setting_and_the_largest_seed() -> None:
    stored = json.loads((VECTORS / "sampling.json").read_text(encoding="utf-8"))
    used = {name for case in stored["sampling"] for name in case["settings"]}
    assert used == set(SamplingSettings.__dataclass_fields__)
    assert {0, MAX_SEED} <= {case["seed"] for case in stored["random"]}


# What a choice is worth in bits.


def test_entropy_of_equal_chances_is_their_logarithm_and_of_certainty_zero() -> None:
    assert entropy(np.full(8, 0.125)) == pytest.approx(3)
    assert entropy(np.array([0.0, 1.0, 0.0])) == 0
    assert entropy(np.array([0.5, 0.25, 0.25, 0.0])) == pytest.approx(1.5)


@given(logits_lists)
def test_entropy_is_that_of_scipy(logits: list[float]) -> None:
    p = probabilities(logits, PLAIN)
    assert entropy(p) == pytest.approx(float(scipy.stats.entropy(p, base=2)), abs=1e-12)


def test_surprisal_is_in_bits() -> None:
    assert surprisal(0.125) == 3
    assert surprisal(1.0) == 0
    assert surprisal(0.0) == math.inf

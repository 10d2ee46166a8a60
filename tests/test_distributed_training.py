"""Exchanges of gradients, their bytes, and the model of many workers."""

import dataclasses
import re

import keras
import numpy as np
import pytest
from conftest import ROOT
from trainable import QUICK, small_model

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

import mobilenet_tf
from experiments import distributed_training
from experiments.harness import Config
from experiments.report import scaling, speedup_claims
from experiments.trials import exchange_accuracy, exchanges, step_times
from experiments.trials.exchanges import EXCHANGES
from experiments.trials.step_times import StepTime

SHAPES = [(3, 3, 8, 16), (16,), (3, 3, 32, 1), (40, 10)]
WORKERS = 3


@pytest.fixture(scope="module")
def gradients():
    rng = np.random.default_rng(0)
    return [jnp.array(rng.normal(size=(WORKERS, *s)).astype("float32")) for s in SHAPES]


def on_workers(way):
    return jax.vmap(way.mean, (0, 0), (None, 0), axis_name=exchanges.AXIS)


@pytest.mark.parametrize(("name", "most"), [("float32", 1e-6), ("bfloat16", 0.02)])
def test_exchanges_give_the_mean(gradients, name, most):
    means, _ = on_workers(EXCHANGES[name])(gradients, [])
    for mean, gradient in zip(means, gradients, strict=True):
        np.testing.assert_allclose(mean, gradient.mean(0), atol=most)


def test_powersgd_leaves_nothing_out(gradients):
    """What has been applied and what is left over are together all gradients."""
    way = EXCHANGES["powersgd"]
    state = jax.tree.map(lambda a: jnp.stack([a] * WORKERS), way.initial(SHAPES))
    applied, steps = [0.0] * len(SHAPES), 5
    for _ in range(steps):
        means, state = on_workers(way)(gradients, state)
        applied = [total + mean for total, mean in zip(applied, means, strict=True)]
    left = iter([error.mean(0) for error, _ in state])
    for index, shape in enumerate(SHAPES):
        total = applied[index]
        if shape != (16,):  # a vector is sent as it is
            assert np.linalg.matrix_rank(means[index].reshape(-1, shape[-1])) <= 9
            total = total + next(left).reshape(shape)
        expected = steps * gradients[index].mean(0)
        np.testing.assert_allclose(total, expected, atol=1e-3)


def test_counted_bytes():
    numbers = 3 * 3 * 8 * 16 + 16 + 3 * 3 * 32 + 40 * 10
    assert exchanges.elements(SHAPES) == numbers
    assert EXCHANGES["float32"].bytes_per_worker(SHAPES, 2) == 4 * numbers
    assert EXCHANGES["bfloat16"].bytes_per_worker(SHAPES, 4) == 2 * numbers * 2 * 3 / 4
    thin = 4 * (72 + 16) + 16 + 4 * (9 + 32) + 4 * (40 + 10)
    assert EXCHANGES["powersgd"].bytes_per_worker(SHAPES, 2) == 4 * thin
    assert EXCHANGES["bfloat16"].bytes_per_worker(SHAPES, 2, 5) == 2 * numbers + 4 * 5
    assert step_times.others_of("1 MobileNet") == 1 + 21_888  # as Keras counts them
    assert step_times.others_of("SqueezeNet") == 1


def step(network, parameters, seconds, workers, exchange="float32", **others):
    given = StepTime(
        *(network, exchange, workers, 4, seconds),
        loopback_bytes=(workers - 1) * 8 * parameters,
        shapes=[[parameters]],
        # One worker has nobody to wait for.
        latency_seconds=1e-3 if workers == 2 else 1e-9,
        exchange_16_mib_seconds=0.1,
        load=0.0,
        cores=2,
    )
    return dataclasses.replace(given, **others)


def of(steps, others=0):
    return scaling.of(steps, lambda network: others)


def networks(*given):
    return of([step(*each, k) for each in given for k in (1, 2)])


def noisy(name, parameters, all_seconds):
    seconds = {"seconds": np.median(all_seconds), "all_seconds": all_seconds}
    return [step(name, parameters, workers=k, **seconds) for k in (1, 2)]


def test_speedup_by_hand():
    steps = [step("a", 10**6, 2.0, k) for k in (1, 2)]
    steps += [step("a", 10**6, 2.5, k, "powersgd") for k in (1, 2)]
    plain, powersgd = of(steps, 10**5).values()
    assert plain.byte_ratio == pytest.approx(1 / 1.1)
    # 6.6 MB a worker at 1 Gbit/s, and three milliseconds around the ring.
    assert plain.speedup(4, 1) == pytest.approx(4 * 2 / (2 + 0.0528 + 0.003))
    assert plain.speedup(4, 1, 100) == pytest.approx(4 * 0.02 / (0.02 + 0.0558))
    # A vector is sent as it is, in two rounds.
    assert powersgd.speedup(4, 1) == pytest.approx(4 * 2 / (2.5 + 0.0528 + 0.006))


def test_all_networks_have_one_latency():
    steps = [step(name, 10**6, 1.0, k) for name in "abc" for k in (1, 2)]
    for index, seconds in ((3, 1.2e-3), (5, 90e-3)):
        steps[index] = dataclasses.replace(steps[index], latency_seconds=seconds)
    link = scaling.loopback(steps)
    assert link.latency == 1.2e-3
    assert link.gigabits == pytest.approx(8 * 2**24 / (0.1 - 1.2e-3) / 1e9)
    assert len({each.speedup(64, 1, 100) for each in of(steps).values()}) == 1


def test_claims_hold_or_name_what_contradicts():
    found = speedup_claims.claims(networks(("a", 10**5, 1.0), ("b", 10**7, 1.0)))
    assert all("5 %, holds: measured are 1.000 to 1.000" in s for s in found[:2])
    assert all(" holds: it does in 1 of 1 pairs" in sentence for sentence in found[2:])
    # The larger one computes so long that sending is nothing.
    found = speedup_claims.claims(networks(("a", 10**6, 0.1), ("b", 10**7, 1000.0)))
    assert all(
        "not hold: it does in 0 of 1 pairs, not for b above a." in s for s in found[2:]
    )


@pytest.mark.parametrize(
    ("seconds", "percent", "reason"),
    [
        ([1, 1, 1, 3, 3], 31.7, "0 of 1 pairs, not for b above a (in 6"),
        ([3, 3, 3, 1, 1], 68.3, "1 of 1 pairs."),
    ],
)
def test_claims_within_noise_are_inconclusive(seconds, percent, reason):
    """Three or more of five draws are of two of the five steps in 31.7 % of cases."""
    steps = [*noisy("a", 10**6, seconds), *noisy("b", 15 * 10**5, [2])]
    found = speedup_claims.claims(of(steps))[2:]
    shares = [re.search(r"is inconclusive: holds in (\d+) %", s)[1] for s in found]
    assert [int(share) for share in shares] == pytest.approx(6 * [percent], abs=2)
    assert all(f"resamples; it does in {reason}" in sentence for sentence in found)


def test_noise_of_a_step_is_that_of_one_worker_and_of_many():
    a, b = noisy("a", 1, [1, 1, 1, 2, 2]), noisy("b", 4_670_000, [1])
    assert " holds: it does in 1 of 1" in speedup_claims.claims(of([*a, *b]))[2]


def test_more_than_counted_is_said():
    steps = [step(name, 10**6, 1.0, k) for name in "ab" for k in (1, 2)]
    more = {"exchange": "powersgd", "loopback_bytes": 10**7}
    steps += [step("b", 10**6, 1.0, k, **more) for k in (1, 2)]
    parameters, counted, *_ = speedup_claims.claims(of(steps))
    assert "holds: measured are 1.000 to 1.000" in parameters
    assert "does not hold: measured are 1.000 to 1.250" in counted
    parameters, counted, *_ = speedup_claims.claims(of(steps, 125_000))
    assert "does not hold: measured are 0.889 to 1.111" in counted
    steps[1] = dataclasses.replace(steps[1], loopback_bytes=7 * 10**6)
    parameters, *_ = speedup_claims.claims(of(steps))
    assert "does not hold: measured are 0.875 to 1.000" in parameters


def test_committed_bytes_are_those_that_are_counted():
    measured = scaling.of(step_times.read(ROOT / "experiments" / "results"))
    assert len(measured) == len(step_times.NETWORKS) * len(EXCHANGES)
    for key, each in measured.items():
        assert each.byte_ratio == pytest.approx(1, rel=speedup_claims.TOLERANCE), key


def test_page_of_records(tmp_path):
    config = Config(results=str(tmp_path), tables_dir=str(tmp_path))
    assert distributed_training.figures(config, tmp_path / "x") == []
    steps = [
        step(network, 10**6, 1.0, workers, exchange)
        for network in step_times.NETWORKS
        for exchange in EXCHANGES
        for workers in (1, 2)
    ]
    fast = next(s for s in steps if (s.network, s.exchange) == ("AlexNet", "bfloat16"))
    steps[steps.index(fast)] = dataclasses.replace(fast, seconds=0.8)
    content = {"steps": [dataclasses.asdict(each) for each in steps]}
    step_times.records.write(step_times.path(tmp_path), content)
    assert step_times.read(tmp_path)[0] == steps[0]
    (page,) = distributed_training.experiment.pages(config)
    assert "More than 64 times as fast seem AlexNet with bfloat16. There" in page.text
    assert "VGG 16" in page.text and len(page.sheets) == 3
    assert len({figure.shows for figure in page.figures}) == 3
    assert all(figure.png.exists() and figure.svg.exists() for figure in page.figures)


def test_without_records_the_bytes_are_counted(tmp_path, monkeypatch):
    networks = {"SqueezeNet": step_times.NETWORKS["SqueezeNet"]}
    monkeypatch.setattr(step_times, "NETWORKS", networks)
    _, sheet = distributed_training.content(Config(results=str(tmp_path)))
    parameters = f"{8 * mobilenet_tf.build_squeezenet().count_params() / 1e6:,.2f}"
    assert sheet.rows[0][3:] == (parameters, "0.00", parameters, "–", "–")


def test_measuring_accuracy_needs_jax(tmp_path):
    if keras.backend.backend() == "jax":
        for given, message in (
            ({"batch_size": 6}, "batch_size must be a multiple of 4, got 6"),
            ({"ema_momentum": 0.99}, "recipe must do without ema_momentum"),
        ):
            with pytest.raises(ValueError, match=message):
                exchange_accuracy.checked(dataclasses.replace(QUICK, **given))
        steps = dataclasses.replace(QUICK, side_steps=(0.5, 1.0))
        assert exchange_accuracy.checked(steps).side_steps == (1.0,)
        return
    with pytest.raises(ValueError, match="measure=True needs the JAX backend"):
        exchange_accuracy.checked(QUICK)


@pytest.mark.jax
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_workers_learn(stripes, monkeypatch, exchange):
    model = small_model()
    monkeypatch.setattr(mobilenet_tf, "build", lambda *_, **__: model)
    result = exchange_accuracy.train(stripes, QUICK, exchange)
    losses = [epoch["loss"] for epoch in result["history"]]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.jax
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_measured_bytes_are_those_that_are_counted(exchange, monkeypatch):
    """On the loopback interface, which other programs may use too."""
    arguments = {"base_resolution": 32, "blocks": [[1024, 2], [1024, 1], [1024, 1]]}
    monkeypatch.setitem(step_times.NETWORKS, "small", ("mobilenet_tf.build", arguments))
    two = step_times.measure("small", exchange, 2, batch=1, steps=3)
    assert two.workers == 2 and two.seconds > 0
    others, link = step_times.others_of("small"), scaling.loopback([two])
    measured = scaling.Measured(two, two, two, others, link)
    assert measured.byte_ratio == pytest.approx(1, rel=speedup_claims.TOLERANCE)


@pytest.mark.jax
def test_a_worker_that_fails_ends_the_measurement(monkeypatch):
    monkeypatch.setitem(step_times.NETWORKS, "broken", ("mobilenet_tf.nothing", {}))
    with pytest.raises(ValueError, match=r"(?s)broken cannot be measured: .*nothing"):
        step_times.measure("broken", "float32", 2)

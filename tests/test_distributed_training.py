"""Exchanges of gradients, their bytes, and the model of many workers."""

import dataclasses

import keras
import numpy as np
import pytest
from trainable import QUICK, small_model

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

import mobilenet_tf
from experiments import distributed_training
from experiments.harness import Config
from experiments.report import scaling
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


def step(network, parameters, seconds, workers, exchange="float32", factor=1.0):
    return StepTime(
        *(network, exchange, workers, 4, seconds),
        loopback_bytes=(workers - 1) * 8 * parameters * factor,
        shapes=[[parameters]],
        latency_seconds=1e-3,
        exchange_16_mib_seconds=0.1,
        load=0.0,
        cores=2,
    )


def networks(*given):
    return scaling.of([step(*each, workers) for each in given for workers in (1, 2)])


def test_speedup_by_hand():
    (measured,) = networks(("a", 10**6, 2.0)).values()
    assert measured.counted_bytes == 8e6
    # 6 MB a worker at 1 Gbit/s, and three milliseconds around the ring.
    assert measured.speedup(4, 1) == pytest.approx(4 * 2 / (2 + 0.048 + 0.003))
    assert measured.speedup(4, 1, 100) == pytest.approx(4 * 0.02 / (0.02 + 0.051))


def test_claims_hold_or_name_what_contradicts():
    first, *rest = scaling.claims(networks(("a", 10**5, 1.0), ("b", 10**7, 1.0)))
    assert "holds: measured are 1.00 to 1.00" in first
    assert all(" holds: it does in 1 of 1 pairs" in sentence for sentence in rest)
    # The larger one computes so long that sending is nothing.
    _, *rest = scaling.claims(networks(("a", 10**6, 0.1), ("b", 10**7, 1000.0)))
    assert all(
        "not hold: it does in 0 of 1 pairs, not for b above a" in s for s in rest
    )


def test_more_than_counted_is_said():
    steps = [step("a", 10**6, 1.0, workers, factor=1.2) for workers in (1, 2)]
    steps += [step("b", 10**7, 1.0, workers) for workers in (1, 2)]
    first, *_ = scaling.claims(scaling.of(steps))
    assert "does not hold: measured are 1.00 to 1.20" in first


def test_page_of_records(tmp_path):
    config = Config(results=str(tmp_path), tables_dir=str(tmp_path))
    assert distributed_training.figures(config, tmp_path / "x") == []
    steps = [
        step(network, 10**6, 1.0, workers, exchange)
        for network in step_times.NETWORKS
        for exchange in EXCHANGES
        for workers in (1, 2)
    ]
    content = {"steps": [dataclasses.asdict(each) for each in steps]}
    step_times.records.write(step_times.path(tmp_path), content)
    assert step_times.read(tmp_path) == steps
    (page,) = distributed_training.experiment.pages(config)
    assert "VGG 16" in page.text and len(page.sheets) == 3
    assert len(page.figures) == 6 and all(file.exists() for file in page.figures)


def test_without_records_the_bytes_are_counted(tmp_path, monkeypatch):
    networks = {"SqueezeNet": step_times.NETWORKS["SqueezeNet"]}
    monkeypatch.setattr(step_times, "NETWORKS", networks)
    _, sheet = distributed_training.content(Config(results=str(tmp_path)))
    parameters = mobilenet_tf.build_squeezenet().count_params()
    assert sheet.rows[0][3:] == (f"{8 * parameters / 1e6:,.2f}", "–", "–")


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
def test_measured_bytes_are_those_that_are_counted():
    """On the loopback interface, which other programs may use too."""
    arguments = {"base_resolution": 32, "classes": 1000, "blocks": [[512, 2]]}
    for exchange in ("float32", "bfloat16"):
        found = step_times.measure(
            "0.25 MobileNet", exchange, 2, arguments=arguments, batch=1, steps=3
        )
        shapes = [tuple(shape) for shape in found.shapes]
        counted = 2 * EXCHANGES[exchange].bytes_per_worker(shapes, 2)
        assert found.loopback_bytes == pytest.approx(counted, rel=0.2)
        assert found.workers == 2 and found.seconds > 0


@pytest.mark.jax
def test_a_worker_that_fails_ends_the_measurement(monkeypatch):
    monkeypatch.setitem(step_times.NETWORKS, "broken", ("mobilenet_tf.nothing", {}))
    with pytest.raises(ValueError, match=r"(?s)broken cannot be measured: .*nothing"):
        step_times.measure("broken", "float32", 2)

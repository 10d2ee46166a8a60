"""What an evaluation says of each class."""

import sys

import numpy as np
import pytest
from trainable import small_model

from mobilenet_tf.training import confusion, evaluate
from mobilenet_tf.training.measures import Evaluation

MATRIX = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 0]])
EVALUATION = Evaluation(
    images=8,
    loss=0.5,
    top1=5 / 8,
    correct=np.ones(8, bool),
    confusion=MATRIX,
    class_names=("cat", "dog", "cow"),
)


def test_precision_and_recall_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    labels, given = np.random.default_rng(0).integers(0, 5, (2, 200))
    matrix = metrics.confusion_matrix(labels, given)
    precision, recall, *_ = metrics.precision_recall_fscore_support(labels, given)
    np.testing.assert_allclose(confusion.precision(matrix), precision)
    np.testing.assert_allclose(confusion.recall(matrix), recall)


def test_classes_without_images():
    np.testing.assert_allclose(EVALUATION.recall, [0.75, 0.5, np.nan])
    np.testing.assert_allclose(EVALUATION.precision, [1, 2 / 3, 0])


def test_printed():
    assert (
        str(EVALUATION)
        == r"""8 images, loss 0.500, top-1 62.5 %

| class | images | precision % | recall % |
|-------|-------:|------------:|---------:|
| cat   |      4 |       100.0 |     75.0 |
| dog   |      4 |        66.7 |     50.0 |
| cow   |      0 |         0.0 |        – |

| true class \ predicted | cat | dog | cow |
|------------------------|----:|----:|----:|
| cat                    |   3 |   1 |   0 |
| dog                    |   0 |   2 |   2 |
| cow                    |   0 |   0 |   0 |"""
    )


def test_many_classes_are_summed_up():
    matrix = 9 * np.eye(30, dtype=int)
    matrix[4, 7] = 5
    text = confusion.describe(matrix, [f"class{index}" for index in range(30)])
    assert "the 20 classes of 30 with the lowest recall" in text
    assert "| class4, taken for class7 |      5 |" in text
    assert len(text.splitlines()) < 30
    perfect = confusion.describe(np.eye(30, dtype=int), list(map(str, range(30))))
    assert "taken for" not in perfect


def test_evaluate_counts_every_image(stripes):
    evaluation = evaluate(small_model(), stripes)
    labels = stripes.evaluation.contents.labels
    assert evaluation.class_names == stripes.class_names
    np.testing.assert_array_equal(evaluation.confusion.sum(1), np.bincount(labels))
    assert np.trace(evaluation.confusion) == evaluation.correct.sum()


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_picture(tmp_path, suffix):
    path = tmp_path / f"confusion.{suffix}"
    EVALUATION.save_confusion_matrix(path)
    assert list(tmp_path.iterdir()) == [path] and path.stat().st_size > 1000


def test_no_picture(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"path must end in one of \.png, \.svg"):
        EVALUATION.save_confusion_matrix(tmp_path / "confusion.txt")
    with pytest.raises(ValueError, match="have no confusion matrix"):
        Evaluation(images=1, loss=1.0).save_confusion_matrix(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        EVALUATION.save_confusion_matrix(tmp_path / "confusion.png")
    assert [file.name for file in tmp_path.iterdir()] == []

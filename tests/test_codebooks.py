"""Shared values without training; the Model Optimization Toolkit is not needed."""

import numpy as np

from mobilenet_tf.compression import codebooks


def test_codebook_is_a_fixed_point_of_k_means():
    values = np.random.default_rng(0).normal(size=5000).astype("float32")
    codebook = codebooks.codebook(values, 16, keep_zeros=False)
    nearest = np.abs(values[:, None] - codebook).argmin(1)
    means = [values[nearest == index].mean(dtype="float64") for index in range(16)]
    np.testing.assert_allclose(codebook, means, rtol=1e-5)
    np.testing.assert_array_equal(
        codebooks.nearest(values, codebook), codebook[nearest]
    )


def test_codebook_is_optimal():
    """No other way to cut the sorted values into three parts has a smaller error."""
    values = np.random.default_rng(0).normal(size=12).astype("float32")
    ordered = np.sort(values)

    def distance(*parts):
        return sum(((part - part.mean()) ** 2).sum() for part in parts)

    least = min(
        distance(ordered[:i], ordered[i:j], ordered[j:])
        for i in range(1, 11)
        for j in range(i + 1, 12)
    )
    codebook = codebooks.codebook(values, 3, keep_zeros=False)
    rounded = codebooks.nearest(values, codebook)
    np.testing.assert_allclose(((values - rounded) ** 2).sum(), least, rtol=1e-4)


def test_zeros_stay_zeros_and_nothing_else_becomes_zero():
    values = np.array([0, 1e-3, -2e-3, 0.5, 1, 0, -1], "float32")
    codebook = codebooks.codebook(values, 4, keep_zeros=True)
    shared = codebooks.nearest(values, codebook)
    np.testing.assert_array_equal(shared == 0, values == 0)

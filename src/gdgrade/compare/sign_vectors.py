"""Averages over Gaussian noise without sampling: all vectors of signs."""

from __future__ import annotations

import numpy as np

from gdgrade.compare.arrays import FloatArray

_LARGEST = 20  # 2**20 rows of 20 numbers: 168 MB


def sign_vectors(d: int) -> FloatArray:
    r"""All vectors with entries +1 and -1.

    Averaging over the rows s gives mean 0 and covariance I, and more:

        ``mean_s f(a + L s) = E f(a + L z)``,  z ~ N(0, I),   for every polynomial f of degree <= 3,

    because the moments of s and z agree up to the third: E s_i = 0, E s_i s_j = [i = j], E s_i s_j s_k = 0.
    For a quadratic form ``mean_s (a + L s)^T A (a + L s) = a^T A a + tr(L^T A L)``. So a loss that is
    quadratic in the noise (a DDPM loss with a linear network, an ELBO with a linear decoder) can be compared
    with its exact expectation, with no random error. Not so from degree 4 on: E s_i^4 = 1, but E z_i^4 = 3.

    Args:
        d: dimension, 0 to 20.

    Returns:
        Array ``(2**d, d)`` of float64, in counting order, first column slowest. Exact.

    Raises:
        ValueError: if d is negative or above 20.

    Example:
        >>> sign_vectors(2)
        array([[-1., -1.],
               [-1.,  1.],
               [ 1., -1.],
               [ 1.,  1.]])

    Source: a two-point (Rademacher) cubature; Stroud (1971), Approximate Calculation of Multiple Integrals,
        ch. 3.
    """
    if not 0 <= d <= _LARGEST:
        raise ValueError(f"sign_vectors: d must lie in 0..{_LARGEST}, got {d}")
    bits = (np.arange(2**d)[:, None] >> np.arange(d)[::-1]) & 1  # (2**d, d)
    return bits.astype(np.float64) * 2 - 1

"""Toy densities in the plane: exact samplers, exact log-densities, exact entropies.

Each toy has ``sample(n, generator)`` -> (n, 2), ``log_prob(x)`` (..., 2) -> (...), in nats, and
``entropy()``, in nats: the least mean of ``-log q`` that any model q can reach on samples of the toy.

Randomness and library are the caller's: a ``numpy.random.Generator`` draws numpy arrays, a
``torch.Generator`` tensors of torch's default dtype; ``log_prob`` answers in the library of its argument, and
for tensors it can be differentiated (not across the edges of the checkerboard, where the density jumps).

Toy molecules in space (``Chain``, ``Ring``, ``water_like``, ``chain``) have exact laws of bond lengths and angles, and
are turned at random with ``random_rotations``.
"""

from gdgrade.data.toys.checkerboard import Checkerboard
from gdgrade.data.toys.circles import Circles
from gdgrade.data.toys.mixtures import Gaussian, GaussianMixture, grid, ring
from gdgrade.data.toys.molecules import Chain, Ring, chain, random_rotations, water_like
from gdgrade.data.toys.moons import TwoMoons

__all__ = [
    "Chain",
    "Checkerboard",
    "Circles",
    "Gaussian",
    "GaussianMixture",
    "Ring",
    "TwoMoons",
    "chain",
    "grid",
    "random_rotations",
    "ring",
    "water_like",
]

"""Part 4.1: the noise schedule."""

import torch
from ddpm_oracles import schedule_of

from gdgrade.checks import CheckFailed, agrees, at_most, check, close, holds, remark, require

# Other names of the same three arrays, all in use in public code.
NAMES = {
    "betas": ("betas", "beta", "beta_t"),
    "alphas": ("alphas", "alpha", "alpha_t"),
    "abar": ("abar", "abars", "alpha_bar", "alphas_bar", "alpha_bars", "alphabar", "alphas_cumprod", "alpha_hat"),
}


@check("4.1", points=0.75)
def test_values(student):
    """Betas, alphas and abar are right, rescaled and not."""
    for inputs in ((40,), (50, 0.001, 0.1, False)):
        agrees(student.linear_schedule, schedule_of, *inputs, pick=arrays_of, rtol=1e-11, name="schedule")


@check("4.1", points=0.5)
def test_signal_is_gone_at_the_end(student):
    """However many steps there are, hardly any signal is left after the last one."""
    for T in (25, 50, 200, 1000):
        abar = arrays_of(student.linear_schedule(T))["abar"]
        require(getattr(abar, "shape", None) == (T,), f"abar: {T} numbers are due, one for each step")
        holds(at_most(abar[-1], 1e-3, f"abar after the last of {T} steps"))


@check("4.1", points=0.75, visibility="hidden")
def test_other_settings(student, draw):
    """Betas, alphas and abar are right for other settings, down to the smallest abar."""
    for scale in (True, False):
        T = draw.integers(60, 90)
        low, high = (float(draw.uniform(1, low=a, high=2 * a)) for a in (2e-4, 0.02))
        inputs = T, low, high, scale
        picked = agrees(student.linear_schedule, schedule_of, *inputs, pick=arrays_of, rtol=1e-11, name="schedule")
        # As logarithms: near the end abar is far below the largest of its values, to which the tolerance above refers.
        close(torch.log(picked["abar"]), schedule_of(*inputs)["abar"].log(), "log of abar")


def arrays_of(schedule):
    """Betas, alphas and abar of a dict, by their names or by another name in use, under their names."""
    if not isinstance(schedule, dict):
        raise CheckFailed(f"linear_schedule: a dict is due, got a {type(schedule).__name__}")
    found = {}
    for due, names in NAMES.items():
        name = next((name for name in names if name in schedule), None)
        if name is None:
            keys = ", ".join(str(key)[:30] for key in list(schedule)[:8])
            raise CheckFailed(f"linear_schedule: the key {due!r} is missing; the keys are {keys}")
        if name != due:
            remark(f"the schedule's {due} is called {name}; that was accepted")
        found[due] = schedule[name]
    return found

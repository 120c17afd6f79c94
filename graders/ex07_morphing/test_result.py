"""Part 7.6: from A to B, judged by where the particles are in the end; limits are those of calibration.json."""

import itertools

from morphing_oracles import array_of, cloud, divergence, frames, moved, no_score, shift_of
from morphing_runs import NUMBERS, N, far_problem, limits, mode_problem, scores

from gdgrade.checks import check, close, require


@check("7.6", points=1)
def test_divergence_falls(student, reference, draw):
    """Without score and noise the Sinkhorn divergence falls in every step, on the way of the exact answer."""
    eps, n_steps = 1.5, 12
    x0, y = cloud(draw, 10, 2), 1.5 * cloud(draw, 7, 2) + shift_of(draw, 2)
    numbers = {"eta": 0.1, "lam": 3.0, "eps": eps, "n_steps": n_steps, "tau": 0.0}
    walk = moved(student, x0, y, no_score(), shape=(n_steps + 1, 10, 2), **numbers)
    values = [divergence(frame, y, eps) for frame in walk]
    for step, (before, after) in enumerate(itertools.pairwise(values)):
        message = f"step {step} raises the Sinkhorn divergence to the target from {before:.4g} to {after:.4g}"
        require(after < before, message)
    still = 0 * draw.normal(n_steps, 10, 2)  # or the reference draws what tau = 0 then takes away
    close(walk[-1], reference.morph(x0, y, no_score(), noises=still, **numbers)[-1], "the last frame", rtol=1e-3)


@check("7.6", points=1.5, alpha=1e-6, training=True, seconds=60)
def test_arrives(student, draw):
    """From far away, score and transport together bring the particles to the target."""

    def verdict(found, bounds):
        if found.nearest < bounds["nearest_low"]:
            return (
                f"the particles end {found.nearest:.2g} from the nearest point of y on average; after a step with "
                f"noise less than {bounds['nearest_low']:.2g} is too good to be true"
            )
        if not found.energy <= bounds["energy"]:
            return (
                f"the energy distance of the last frame to a fresh sample of the target is {found.energy:.3g}; "
                f"at most {bounds['energy']:.3g} is asked for"
            )
        return ""

    judged(student, draw, far_problem, verdict)


@check("7.6", points=1.5, visibility="hidden", alpha=1e-6, training=True, seconds=60)
def test_shares_of_modes(student, draw):
    """From inside one mode, the particles spread over all modes with the right shares and widths."""

    def verdict(found, bounds):
        if not found.weights <= bounds["weights"]:
            return f"{100 * found.weights:.0f} % of the particles are in a mode in which too many are"
        low, high = bounds["width_low"], bounds["width_high"]
        if not low <= found.width <= high:
            return (
                f"within the modes the variance is {found.width:.3g} times that of the target; between {low:.3g} and "
                f"{high:.3g} is right for this step size"
            )
        return ""

    judged(student, draw, mode_problem, verdict)


def judged(student, draw, make, verdict):
    """Fail if the verdict on the last frame finds fault twice, with fresh problems and fresh noise."""
    fault = ""
    for attempt in ("first", "second"):
        fresh = draw.fork(attempt)
        given = make(fresh)
        student.seed(fresh.seed)
        walk = frames(student.morph(given.x0, given.y, given.score, **NUMBERS))
        walk = array_of(walk, (NUMBERS["n_steps"] + 1, N, 2), "frames")
        fault = verdict(scores(walk[-1], given), limits())
        if not fault:
            return
    require(False, fault)

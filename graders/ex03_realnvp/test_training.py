"""Part 3.6: the flow, trained by the judge on toys with known densities; the limits are those of calibration.json."""

import functools

from flow_training import TOYS, calibrations, train_and_score

from gdgrade.checks import CheckFailed, at_least, check


@check("3.6", points=2, training=True, seconds=180)
def test_two_moons(student, draw):
    """Trained on two moons, the flow comes close to their density, and its noise is close to normal."""
    judge_training(student, draw, "moons", ("kl", "radius"))


@check("3.6", points=1, training=True, seconds=180)
def test_eight_gaussians(student, draw):
    """Trained on eight Gaussians on a ring, the flow comes close to their density."""
    judge_training(student, draw, "ring", ("kl",))


@check("3.6", points=1, training=True, seconds=180)
def test_checkerboard(student, draw):
    """Trained on a checkerboard, whose entropy is log 32, the flow comes close to its density."""
    judge_training(student, draw, "checkerboard", ("kl",))


def judge_training(student, draw, toy, names):
    """Train with one seed and, if that does not reach the limits, once more with a fresh one."""
    faults = []
    for attempt in ("first", "second"):
        seed = draw.fork(attempt).seed % 2**31
        found, answer = train_and_score(functools.partial(run_in_worker, student), TOYS[toy], seed)
        fault = fault_of(found, answer, toy, names)
        if not fault:
            return
        faults.append(fault)
    again = "" if faults[0] == faults[1] else f" A second training: {faults[1]}"
    raise CheckFailed(faults[0] + again)


def run_in_worker(student, function, *arguments):
    """`train_flow` on the student's module, which is its first argument."""
    return student.run(function, student.module, *arguments)


def fault_of(found, answer, toy, names):
    """What is wrong with a training, or ""."""
    title = TOYS[toy].title
    if answer["broken"] >= 0:
        return f"the loss became NaN or infinite in step {answer['broken'] + 1} of {TOYS[toy].steps} on {title}."
    if found.kl == float("inf"):
        return f"after training on {title}, log_prob is NaN or infinite at points of the data."
    # KL >= 0 for every density q; 5 standard errors of a paired mean are luck once in three million.
    floor = at_least(found.kl, 0.0, f"KL(data, flow) on {title}, in nats,", too_good=True, slack=5 * found.error)
    if not floor.passed:
        return floor.message
    for name in names:
        result = calibrations()[f"{toy} {name}"].judge(getattr(found, name))
        if not result.passed:
            return result.message
    return ""

"""One problem on which Sinkhorn takes some 380 iterations, and what the record of them must look like."""

import torch
from sinkhorn_readings import Reading, array, errors, four, matrix, noted, plan, row_error

from gdgrade.checks import CheckFailed, agrees, remark

_X = torch.tensor([0.4, 0.5, 0.6, 1.1, 1.8, 2.5], dtype=torch.float64)
_Y = torch.tensor([0.0, 0.3, 2.8, 2.9], dtype=torch.float64)
_A = torch.tensor([5, 3, 4, 5, 7, 1], dtype=torch.float64) / 25
_B = torch.tensor([2, 4, 1, 6], dtype=torch.float64) / 13
SLOW = (_A, _B, (_X[:, None] - _Y[None, :]) ** 2, 0.2)  # a, b, C, eps: much mass has to change sides
CUT = 200
# After which iteration a look may have come last when 200 were asked for: looks every 1, 2, 5, 10, 20, 25, 50 or 100
# iterations, counted from 0 or from 1, before or after the update.
LAST_LOOKS = (200, 199, 198, 196, 195, 191, 190, 181, 180, 176, 175, 151, 150, 101, 100)


def errors_behave(student_function):
    """The recorded numbers are L1 row errors of the student's own plans, never grow, and end at tol."""

    def last_is_row_error(result):
        return _last_is_row_error(result, student_function)

    def to_the_end(result):
        return _to_the_end(result, student_function)

    pick = _tells(last_is_row_error, _ratio, "last error / row error of the plan")
    agrees(student_function, _faultless, *SLOW, n_iter=CUT, tol=0.0, pick=pick, name="errors")
    agrees(student_function, _faultless, *SLOW, pick=_tells(to_the_end, plan, "plan"), name="errors")


def stops_where_told(student_function):
    """Three iterations are not convergence; a loose tol ends the iteration early, but not before it is reached."""

    def unfinished(result):
        P = matrix(result)
        if gap(result, student_function) < 1e-3:
            raise CheckFailed("n_iter=3: the plan has the right sums already; three iterations cannot get there")
        if any(P.shape == other.shape and (P - other).abs().max() < 1e-10 for other in _after_four()):
            raise CheckFailed("n_iter=3: this is the plan after four iterations")

    def early(result):
        if not row_error(result, _A) <= 1e-2 * (1 + 1e-6):
            raise CheckFailed("tol=0.01: the row sums of the plan differ from a by more than that")
        if gap(result, student_function) < 1e-7:
            raise CheckFailed("tol=0.01: the iteration went on long after this was reached")

    def read(result):
        return row_error(result, _A)

    pick = _tells(unfinished, read, "row error after three iterations")
    agrees(student_function, _faultless, *SLOW, n_iter=3, pick=pick, name="plan with n_iter=3")
    pick = _tells(early, read, "row error with tol=0.01")
    agrees(student_function, _faultless, *SLOW, tol=1e-2, pick=pick, name="plan with tol=0.01")


def _after_four():
    """The plans after four iterations, from scalings equal to one and from potentials equal to zero.

    The plans after three differ from them by 1e-4 and more. Who starts elsewhere does not come within 1e-10 of one.
    """
    K = torch.exp(-SLOW[2] / SLOW[3])
    for v in (torch.ones_like(_B), _B):
        for _ in range(4):
            u = _A / (K @ v)
            v = _B / (K.T @ u)
        yield u[:, None] * K * v[None, :]


def _faultless(*args, **kwargs):
    """The law of checks that judge a result by itself."""
    return Reading(1.0)


def _tells(verdict, note, name):
    """A pick that is 1 for every result with which `verdict` finds no fault."""

    def read(result):
        verdict(result)
        return 1.0

    return noted(read, note, name)


def gap(result, student_function):
    """L1 error of the row sums or of the column sums, whichever is larger.

    Every iteration ends with one of the two exact, and a plan may be returned with its rows made right: the other
    error then says how far the iteration has come. If both sums were made right (by a rounding that adds what is left
    over), the distance to the student's own plan after all iterations says it.
    """
    P, rows = matrix(result), row_error(result, _A)
    if P.shape != SLOW[2].shape:
        return rows
    sums = max(rows, float((P.sum(0) - _B).abs().sum()))
    if sums > 1e-6:
        return sums
    finished = matrix(student_function(*_problem_for(result)))
    return float((P - finished).abs().sum()) if finished.shape == P.shape else sums


def _to_the_end(result, student_function):
    found, floor = errors(result), rounding(result)
    if bool((found < 0).any()) or bool((found[1:] > found[:-1] * (1 + 1e-6) + floor).any()):
        raise CheckFailed("errors: a recorded row error is negative, or larger than the one before it")
    last = float(found[-1])
    if last <= max(1e-9, floor) * (1 + 1e-6):
        return
    # The arguments may be cast to float32 inside and the plan come back as float64, from a torch.zeros: its row error
    # then stops falling at the rounding of a single, and the solver uses all iterations it is given.
    # Who stops earlier than told, in float64, gets below tol if told to go on.
    longer = errors(student_function(*SLOW, n_iter=2000)) if last < 1e-6 else found
    if len(longer) > len(found) and float(longer[-1]) > max(1e-9, floor) * (1 + 1e-6):
        remark(f"{student_function.label} works only in float32")
        return
    raise CheckFailed("errors: the last one is above tol; 400 of the 1000 iterations are enough to get below it here")


def _ratio(result):
    """Last recorded error over the row error of the plan: after many iterations independent of the start."""
    found, own = array(four(result)[3], "errors"), row_error(result, _A)
    return float(found.flatten()[-1]) / own if found.numel() and own > 0 else -1.0


def _last_is_row_error(result, student_function):
    """Whether the last recorded error is the row error of a plan that the student returns for a smaller n_iter."""
    last, own = float(errors(result)[-1]), row_error(result, _A)
    if own < 1e-9:
        return  # the plan is returned after its rows were made right: nothing to compare with
    if abs(last - own) <= 5e-3 * own:
        return
    problem = _problem_for(result)
    for n_iter in LAST_LOOKS:
        own = row_error(student_function(*problem, n_iter=n_iter, tol=0.0), _A)
        if abs(last - own) <= 5e-3 * own:
            return
    raise CheckFailed("errors: what is recorded is not the L1 row error of the plan at that moment")


def _problem_for(result):
    """The problem in the precision of the returned plan."""
    dtype = torch.float32 if rounding(result) > 1e-9 else torch.float64
    a, b, C, eps = SLOW
    return a.to(dtype), b.to(dtype), C.to(dtype), eps


def rounding(result):
    """Row errors below this are rounding, in the precision of the returned plan."""
    return 1e-5 if str(getattr(result[0], "dtype", "")).endswith("float32") else 1e-11

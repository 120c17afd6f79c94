"""The checks. CANARY-GRADER-88ab"""

from gdgrade.checks import agrees, check, recorder, require

SECRET_OF_GRADER = "CANARY-GRADER-88ab"


def push(x):
    return 3 * x - 1


@check("1.1", points=2)
def test_double(student, reference, draw):
    """Twice the input, on public numbers."""
    agrees(student.double, reference.double, draw.normal(5, 2))


@check("1.1", points=2, visibility="hidden")
def test_double_hidden(student, reference, draw):
    """Twice the input, on hidden numbers."""
    agrees(student.double, reference.double, draw.normal(4, 3))


@check("1.2", points=2)
def test_apply(student, reference, draw):
    """The function is applied twice."""
    spy = recorder(push)
    agrees(student.apply, reference.apply, spy, draw.normal(6))
    require(spy.count == 2, "the function must be applied twice")


@check("1.3", points=2)
def test_spread(student, reference, draw):
    """The spread, asked for several inputs, some of them twice."""
    first, second = draw.normal(7), draw.normal(7)
    for x in (first, second, first, second):
        agrees(student.spread, reference.spread, x)

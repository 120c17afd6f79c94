"""Parts 1.1 and 1.2: weighted moments."""

from gdgrade.checks import agrees, check


@check("1.1", points=2)
def test_mean(student, reference, draw):
    """The weighted mean of each column is right, whatever the weights sum to."""
    x, w = draw.normal(7, 3, mean=2.0), 5 * draw.weights(7)
    agrees(student.weighted_mean, reference.weighted_mean, x, w, name="mean", means="one number per column")


@check("1.2", points=1)
def test_variance(student, reference, draw):
    """The weighted variance of each column is right."""
    x, w = draw.normal(6, 2, mean=1.0, scale=2.0), 3 * draw.weights(6)
    agrees(student.weighted_variance, reference.weighted_variance, x, w, name="variance")


@check("1.2", points=1, visibility="hidden")
def test_variance_of_far_data(student, reference, draw):
    """The variance does not change when all data move far away."""
    x, w = draw.normal(6, 2), draw.weights(6)

    def at_home(far, w):
        return reference.weighted_variance(x, w)

    # Not too far: in float32 a distance of 100 leaves five digits.
    agrees(student.weighted_variance, at_home, x + 100.0, w, name="variance", rtol=1e-3)

"""Part 5.5: denoising score matching."""

import torch
from langevin_oracles import array_of, bent_score, linear_score, normal_noise, points_asked, run_either

from gdgrade.checks import (
    TestResult,
    agrees,
    attempts,
    check,
    close,
    covariance_test,
    mean_z,
    recorder,
    require,
    well_formed,
)
from gdgrade.compare.tails import chi2_two_sided


@check("5.5", points=1)
def test_given_noise(student, reference, draw):
    """With the noise given, the loss is right at two noise levels."""
    score = bent_score()
    for sigma in (0.4, 1.7):
        x, noise = draw.normal(5, 3), draw.normal(5, 3)
        agrees(student.dsm_loss, reference.dsm_loss, score, x, sigma, noise, name="loss", means="one number")


@check("5.5", points=0.5)
def test_zero_when_the_way_back_is_known(student, draw):
    """When every noised point shows which clean point it came from, the model that points back has loss zero."""
    # Clean data are -1 or 1, and sigma times the noise stays below 1: the sign tells the clean point.
    sigma = 0.6
    x, noise = draw.signs(6, 3), draw.signs(6, 3) * draw.uniform(6, 3, low=0.8, high=1.6)

    def back(y):
        y = torch.as_tensor(y)
        return (torch.sign(y) - y) / sigma**2

    agrees(student.dsm_loss, lambda *inputs: 0.0, back, x, sigma, noise, name="loss", atol=1e-6)


@check("5.5", points=0.5)
def test_model_sees_noised_data(student, draw):
    """The model is asked at the noised data."""
    sigma, x, noise = 0.8, draw.normal(4, 2, scale=2.0), draw.normal(4, 2)
    spy, another = recorder(bent_score()), linear_score(torch.eye(2), draw.normal(2))
    loss, other = (student.dsm_loss(model, x, sigma, noise) for model in (spy, another))
    for one in (loss, other):
        well_formed(one, 0.5, "loss", means="the average over particles")
    require(float(loss) != float(other), "loss: two models have the same one, whatever they say of the data")
    require(spy.count > 0, "dsm_loss never called score_model")
    asked = points_asked(spy)
    if asked is None:
        return
    distances = torch.cdist(asked, x + sigma * noise)
    nowhere, missed = distances.min(dim=1).values > 1e-4, distances.min(dim=0).values > 1e-4
    require(not nowhere.any(), "score_model was asked at other points than the noised data")
    require(not missed.any(), "score_model was not asked at every noised point")


@check("5.5", points=0.5, visibility="hidden", alpha=1.25e-7)
def test_loss_of_the_best_model(student, draw):
    """On Gaussian data, the best model has the loss that theory gives it, neither more nor less."""
    n, d, sigma, variance = 2500, 3, 0.7, 1.5
    mean = draw.normal(d)
    best = linear_score(torch.eye(d) / (variance + sigma**2), mean)
    optimum = d / 2 * variance / (variance + sigma**2)

    def trial(draw):
        student.seed(draw.seed)
        x = mean + variance**0.5 * draw.normal(n, d)
        spies = recorder(best), recorder(best)
        loss, _ = (float(array_of(student.dsm_loss(spy, x, sigma), (), "loss")) for spy in spies)
        # The residuals are independent normals of one variance, so the loss is a multiple of a chi2 with n d
        # degrees of freedom, exactly.
        squares = n * d * loss / optimum
        detail = f"the loss is {loss:.4g} on {n} points"
        tests = [TestResult("loss of the best model", squares, chi2_two_sided(squares, n * d), detail)]
        first, second = (points_asked(spy) for spy in spies)
        if first is None or second is None or first.shape != x.shape:
            return tests
        require(not torch.equal(first, second), "without noise given, two calls asked the model at the same points")
        # Of the noised points themselves, whose order is the student's to choose. Noise that is shared by coordinates
        # or by points shows here; the loss of the best model does not see it.
        spread = variance + sigma**2
        tests += [mean_z(first, mean, spread**0.5), covariance_test(first, spread * torch.eye(d))]
        bare = recorder(best)  # asked at one point with noise: the noise alone
        student.dsm_loss(bare, mean.repeat(n, 1), sigma)
        return [*tests, normal_noise(points_asked(bare), mean, sigma)]

    attempts(draw, trial, message="the loss of the best possible model is not what theory says")


@check("5.5", points=0.5)
def test_trains_a_network(student, reference, draw):
    """The loss is differentiable in the network's parameters, with the right gradient."""
    inputs = draw.normal(2, 2), draw.normal(5, 2), 0.6, draw.normal(5, 2)
    loss, gradient = run_either(student, training_with_dsm_loss, "dsm_loss", *inputs)
    require(gradient is not None, "autograd finds no way from the loss back to the parameters of the network")
    expected_loss, expected_gradient = training_with_dsm_loss(reference, *inputs)
    close(loss, expected_loss, "loss", rtol=1e-5)
    close(gradient, expected_gradient, "gradient of the loss in the parameters", rtol=1e-5)


# ---- what the checks know by themselves


def training_with_dsm_loss(module, weights, x, sigma, noise):
    """Loss of a network with these weights (2, 2), and its gradient or None. Runs beside the student's code."""
    weights = weights.clone().requires_grad_(True)
    with torch.enable_grad():
        loss = module.dsm_loss(lambda y: torch.tanh(torch.as_tensor(y) @ weights), x, sigma, noise)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return loss, None
    with torch.enable_grad():  # here too: the student's file may have turned gradients off for good
        return loss.detach(), torch.autograd.grad(loss.sum(), weights, allow_unused=True)[0]

"""Part 3.3: the flow, its density, its samples and its loss.

Checks that judge how layers are put together give the flow the judge's own layers in place of the student's coupling
layer, where the student's class looks that name up; so a wrong layer costs points once. The others need part 3.1.
"""

import torch
from flow_judging import (
    LOG_2PI,
    finite,
    label,
    largest,
    log_abs_det,
    log_det_label,
    log_normal,
    near,
    pair,
    precision,
    verdict,
    with_graph,
)
from flow_probes import (
    count_parameters,
    density_along_image,
    depth_report,
    flow_jacobians,
    flow_report,
    log_prob_reaches,
    loss_gradients,
    parameter_report,
    randomise,
    sample_and_return,
    saved_and_loaded,
    slanted_gaussian,
    whole_flow_report,
)

from gdgrade.checks import (
    CheckFailed,
    agrees,
    attempts,
    check,
    mean_z,
    observe,
    require,
    variance_chi2,
)

BATCH = 7


def asked(student, draw, work, n_layers=5):
    """The student's flow on the judge's layers, asked everything at once; and the arguments of the question."""
    x, z, noise = draw.normal(BATCH, 2, scale=1.5), draw.normal(BATCH, 2), draw.normal(5, 2)
    seed = draw.integers(0, 2**31)
    report = student.run(flow_report, student.module, n_layers, seed, *work.cast(x, z, noise))
    return report, (n_layers, seed, x, z, noise)


def vector(value, length, what):
    """One number per sample, (length,), float64."""
    shape = list(getattr(value, "shape", ()))
    if shape != [length]:
        observe("form", shape if hasattr(value, "shape") else "no array")
        came = f"has shape {tuple(shape)}" if hasattr(value, "shape") else f"is no array but a {type(value).__name__}"
        raise CheckFailed(f"{what} {came} for {length} points; one number per point is due")
    return torch.as_tensor(value).detach().to(torch.float64)


def matrix(value, length, what):
    """Points (length, 2), float64."""
    shape = list(getattr(value, "shape", ()))
    if shape != [length, 2]:
        observe("form", shape if hasattr(value, "shape") else "no array")
        raise CheckFailed(f"{what} has shape {tuple(shape)}; ({length}, 2) is due")
    return torch.as_tensor(value).detach().to(torch.float64)


@check("3.3", points=0.5)
def test_shapes(student, draw):
    """forward, inverse, log_prob and sample have the right shapes and leave their arguments alone."""
    with precision(student, "RealNVP") as work:
        report, _ = asked(student, draw, work)
        changed = observe("arguments changed: x, z, noise", report["changed"])
        for direction in ("forward", "inverse"):
            for item in pair(report[direction], BATCH, f"{direction} of the flow"):
                finite(item, f"{direction} of the flow")
        finite(vector(report["log_prob"], BATCH, "log_prob"), "log_prob")
        finite(matrix(report["sample"], 5, "sample(5, noise)"), "sample")
        require(not any(changed), "the flow overwrites the points or the noise that it was given")


@check("3.3", points=0.5)
def test_order_of_layers(student, draw):
    """inverse undoes forward and forward undoes inverse, for layers whose order matters."""
    with precision(student, "RealNVP") as work:
        report, (_, _, x, z, _) = asked(student, draw, work)
        names = []
        for name, point, got in (("forward(inverse(x))", x, "x_back"), ("inverse(forward(z))", z, "z_back")):
            back = matrix(report[got][0], BATCH, name)
            names.append((name, observe(f"{name} is", near(back, point, work.chained)), largest(back, point)))
        for name, good, gap in names:
            require(
                good,
                f"{name} of a flow of five layers is not the point itself ({gap}), "
                "although each layer alone can be undone",
            )


@check("3.3", points=0.5)
def test_log_dets_add_up(student, draw):
    """The flow's log-determinants, forward and inverse, equal those that autograd measures on the whole map."""
    with precision(student, "RealNVP") as work:
        report, (n_layers, seed, x, z, _) = asked(student, draw, work)
        jacobians = student.run(flow_jacobians, student.module, n_layers, seed, *work.cast(x, z))
        names = []
        for direction, jacobian in zip(("forward", "inverse"), jacobians, strict=True):
            jacobian = with_graph(jacobian, f"{direction} of the flow")
            got = pair(report[direction], BATCH, f"{direction} of the flow")[1]
            right, room = log_abs_det(jacobian, work)
            each = [torch.as_tensor(item).to(torch.float64) for item in report[f"{direction}_layers"]]
            parts = (
                {
                    "last_layer": each[-1],
                    "first_layer": each[0],
                    "product_of_layers": torch.stack(each).prod(0),
                    "mean_of_layers": right / n_layers,
                }
                if each
                else {}
            )
            name = observe(f"log-determinant of {direction} is", log_det_label(got, right, room, **parts))
            names.append((direction, name, largest(got, right)))
        for direction, name, gap in names:
            require(
                verdict([name]),
                f"{direction} of a flow of five layers: the log-determinant is not that of the whole map ({gap})",
            )


@check("3.3", points=1)
def test_log_prob(student, draw):
    """log_prob is the log-density of N(0, I) at inverse(x) plus the log-determinant of inverse, with its gradient."""
    with precision(student, "RealNVP") as work:
        report, (n_layers, seed, x, _, _) = asked(student, draw, work)
        got = vector(report["log_prob"], BATCH, "log_prob")
        z, log_det = pair(report["inverse"], BATCH, "inverse")
        right = log_normal(z) + log_det
        named = observe("log_prob is", log_prob_label(report, got, work))
        require(
            verdict([named]),
            "log_prob(x) is not what your own inverse(x) gives: the log-density of N(0, I) at z, "
            f"plus the log-determinant ({largest(got, right)})",
        )
        reaches = student.run(log_prob_reaches, student.module, n_layers, seed, work.cast(x))
        observe("gradient reaches the parameters", reaches)
        require(
            reaches,
            "no parameter of the flow gets a gradient from log_prob, so nll_loss cannot train it: nothing on the way "
            "may be under torch.no_grad() or detached",
        )


def log_prob_label(report, got, work):
    """Which formula log_prob follows, in terms of the flow's own forward and inverse."""
    z, log_det = pair(report["inverse"], BATCH, "inverse")
    u, forward_log_det = pair(report["forward_of_x"], BATCH, "forward")
    base, right = log_normal(z), log_normal(z) + log_det
    return label(
        got,
        work.chained,
        right=right,
        minus_log_det=base - log_det,
        without_log_det=base,
        without_constant=right + LOG_2PI,
        constant_of_one_dimension=right + LOG_2PI / 2,
        twice_the_constant=right - LOG_2PI,
        per_dimension=right / 2,
        negated=-right,
        minus_log_det_of_forward_at_x=base - forward_log_det,
        plus_log_det_of_forward_at_x=base + forward_log_det,
        directions_swapped=log_normal(u) + forward_log_det,
        squared_norm_not_halved=right - 0.5 * z.square().sum(-1),
        norm_not_squared=right + 0.5 * (z.square().sum(-1) - z.norm(dim=-1)),
    )


@check("3.3", points=0.5)
def test_sample_uses_given_noise(student, draw):
    """sample(n, noise) is forward(noise), the same at each call."""
    with precision(student, "RealNVP") as work:
        report, (_, _, _, _, noise) = asked(student, draw, work)
        first, again = (matrix(report[key], 5, "sample(5, noise)") for key in ("sample", "sample_again"))
        right = matrix(report["forward_of_noise"][0], 5, "forward")
        other = matrix(report["inverse_of_noise"][0], 5, "inverse")
        repeats = observe("two calls agree", near(again, first, work.chained))
        named = label(first, work.chained, right=right, inverse_of_noise=other, the_noise_itself=noise)
        observe("sample is", named if repeats else "new noise")
        observe("log_prob is", log_prob_label(report, vector(report["log_prob"], BATCH, "log_prob"), work))
        require(repeats, "two calls of sample with the same noise give different points: the noise is not used")
        require(verdict([named]), f"sample(n, noise) is not what forward makes of that noise ({largest(first, right)})")


@check("3.3", points=0.5, visibility="hidden", alpha=1.25e-7, seconds=180)  # loops over 4,000 rows are right, too
def test_sample_without_noise(student, draw):
    """Left to draw its own noise, sample starts from fresh standard normal noise at each call."""
    n = 4000
    with precision(student, "RealNVP"):

        def trial(draw):
            seed = draw.integers(0, 2**31)
            report = student.run(sample_and_return, student.module, 3, seed, n)
            first, second, z = (matrix(item, n, f"sample({n})") for item in report)
            finite(z, "inverse(sample(n))")
            observe("two calls agree", near(second, first, 1e-6))
            observe("mean of the noise, in halves", torch.round(2 * z.mean(0)).abs())
            observe(
                "twelve times its variance",
                [round(12 * float(v)) if v < 0.5 else "about one" if 0.8 < v < 1.2 else v for v in z.var(0)],
            )
            observe("coordinates agree", near(z[:, 0], z[:, 1], 1e-4))
            require(not near(second, first, 1e-6), "two calls of sample(n) return the same points")
            return [
                mean_z(z[:, 0], 0.0, 1.0),
                mean_z(z[:, 1], 0.0, 1.0),
                variance_chi2(z[:, 0], 1.0),
                variance_chi2(z[:, 1], 1.0),
                # independent normals: their scaled sum is standard normal as well
                variance_chi2((z[:, 0] + z[:, 1]) / 2**0.5, 1.0),
            ]

        attempts(draw, trial, message="inverse(sample(n)) does not look like draws of N(0, I)")


@check("3.3", points=0.5)
def test_nll_loss(student, reference, draw):
    """nll_loss is the mean over the batch of -log_prob, in nats, and lets gradients through."""
    agrees(
        student.nll_loss,
        reference.nll_loss,
        slanted_gaussian(),
        draw.normal(6, 2),
        name="nll_loss",
        means="one number for the batch",
    )

    points = draw.normal(6, 2)
    got = student.run(loss_gradients, student.module, slanted_gaussian(), points)
    flow = slanted_gaussian()
    expected = torch.autograd.grad(reference.nll_loss(flow, points), list(flow.parameters()))
    require(
        all(near(g, e, 1e-5) for g, e in zip(got, expected, strict=True)),
        "the gradient of nll_loss in the flow's parameters is not that of the mean",
    )


@check("3.3", points=0.5, needs=["3.1"], visibility="hidden")
def test_whole_flow(student, draw):
    """With your own eight layers and random weights: both round trips, and both log-determinants against autograd."""

    with precision(student, "RealNVP") as work:
        x, z = draw.normal(10, 2), draw.normal(10, 2)
        answers = student.run(whole_flow_report, student.module, draw.integers(0, 2**31), *work.cast(x, z))
        there, back = pair(answers[0], 10, "forward of the flow"), pair(answers[1], 10, "inverse of the flow")
        jacobians = [
            with_graph(jacobian, f"{direction} of the flow")
            for direction, jacobian in zip(("forward", "inverse"), answers[4:], strict=True)
        ]
        rights, rooms = zip(*(log_abs_det(jacobian, work) for jacobian in jacobians), strict=True)
        trips = [near(answers[2], x, work.chained), near(answers[3], z, work.chained)]
        observe("comes back", trips)
        names = [log_det_label(answer[1], *case) for answer, *case in zip((there, back), rights, rooms, strict=True)]
        for direction, name in zip(("forward", "inverse"), names, strict=True):
            observe(f"log-determinant of {direction} is", name)
        require(not near(there[0], z, 1e-3), "with every weight randomised the flow is still the identity")
        require(
            all(trips),
            f"forward and inverse of RealNVP() do not undo each other ({largest(answers[2], x)} one way, "
            f"{largest(answers[3], z)} the other)",
        )
        require(
            verdict(names),
            f"the log-determinants of RealNVP() are not those of the whole map (forward: "
            f"{largest(there[1], rights[0])}, inverse: {largest(back[1], rights[1])})",
        )


@check("3.3", points=1, needs=["3.1"], visibility="hidden", seconds=180)  # loops over 3,249 rows are right, too
def test_density_integrates_to_one(student, draw):
    """exp(log_prob) integrates to 1 over the plane, for random weights."""

    # Nodes that follow the flow: the image of a grid over all noise but 1e-11, each with the area that it stands for.
    side = torch.linspace(-7.0, 7.0, 57)
    nodes = torch.cartesian_prod(side, side)
    with precision(student, "RealNVP") as work:
        seed = draw.integers(0, 2**31)
        log_prob, stretch = student.run(density_along_image, student.module, seed, work.cast(nodes))
        log_prob, stretch = vector(log_prob, len(nodes), "log_prob"), with_graph(stretch, "forward of the flow")
        total = (log_prob.exp() * stretch).sum() * (side[1] - side[0]) ** 2
        observe(
            "integral",
            label(
                total,
                1e-3,
                right=1.0,
                without_constant=2 * torch.pi,
                constant_of_one_dimension=(2 * torch.pi) ** 0.5,
                twice_the_constant=1 / (2 * torch.pi),
            ),
        )
        require(abs(total - 1) < 1e-3, f"the integral of exp(log_prob) over the plane is {float(total):.4f}")


@check("3.3", points=0.5, needs=["3.1"])
def test_depth(student, draw):
    """RealNVP(n) has n layers of its own weights, 8 by default, and their masks alternate."""

    with precision(student, "RealNVP") as work:
        z, seed = work.cast(draw.normal(6, 2)), draw.integers(0, 2**31)
        answers = {n: student.run(depth_report, student.module, n, seed, z) for n in (2, 4, 6, 8)}
        counts = {n: answer[0] for n, answer in answers.items()}
        growth = [counts[4] - counts[2], counts[6] - counts[4], counts[8] - counts[6]]
        single = student.run(count_parameters, student.AffineCoupling(work.cast(torch.tensor([1.0, 0.0])))) or 1
        observe("parameters of n layers over those of one", [round(counts[n] / single, 1) for n in (2, 4, 6, 8)])
        jacobian = with_graph(answers[2][1], "forward of the flow")
        still = observe("entries of the Jacobian that vanish", int((jacobian.abs().amax(0) < 1e-9).sum()))
        rows = [near(jacobian[:, i, :], torch.eye(2)[j].expand(6, 2), 1e-9) for i in range(2) for j in range(2)]
        observe("a coordinate passes two layers unchanged", any(rows))
        deep = with_graph(answers[4][1], "forward of the flow")
        all_alike = observe(
            "a coordinate passes four layers unchanged",
            any(near(deep[:, i, :], torch.eye(2)[i].expand(6, 2), 1e-9) for i in range(2)),
        )
        require(
            growth[0] > 0 and growth[0] == growth[1] == growth[2],
            f"RealNVP(n) has {counts[2]}, {counts[4]}, {counts[6]}, {counts[8]} parameters for n = 2, 4, 6, 8; "
            "every further layer must bring as many of its own",
        )
        own = student.run(depth_report, student.module, None, seed, z)[0]
        require(own == counts[8], f"RealNVP() has {own} parameters, RealNVP(8) {counts[8]}: 8 layers are the default")
        require(
            still == 0 and not any(rows),
            "a flow of two layers leaves a coordinate out: each coordinate must be "
            "changed by one of two successive layers"
            if all_alike
            else "a flow of two layers leaves a coordinate out, one of four layers does not: is every layer used?",
        )


@check("3.3", points=0.5, needs=["3.2"])
def test_learns(student, draw):
    """The optimiser sees every number of the flow that matters, and state_dict keeps them all."""

    with precision(student, "RealNVP") as work:
        x, seed = work.cast(draw.normal(9, 2)), draw.integers(0, 2**31)
        flow = student.RealNVP(3)
        student.run(randomise, flow, seed)
        report = student.run(parameter_report, flow, x, ["points", "log_det"])
        observe("some parameter is hidden", report["hidden"] > 0)
        observe("gradients from points and log-determinants", list(report["reached"].values()))
        require(
            report["hidden"] == 0,
            f"{report['hidden']} tensors change the result of the flow but parameters() does "
            "not yield them, so no optimiser will see them",
        )
        require(report["visible"] > 0, "parameters() of the flow is empty: there is nothing to train")
        require(report["idle"] == 0, f"{report['idle']} parameters change the result but get no gradient")
        old, new = student.run(saved_and_loaded, student.module, seed, x)
        require(near(new, old, work.chained), "a flow that loads the state_dict of another one has another density")

"""Known wrong answers of exercise 6 and the questions they are answered with; those of the solvers come from beside."""

import torch
from sinkhorn_solver_mistakes import *  # noqa: F403 - what is declared there belongs to this exercise's mistakes

from gdgrade.mistakes import mistake


# ------------------------------------------------------------------------------------------------- 6.1 cost matrix
def _distances(x, y, p=1):
    """The p-th power of the distances, without a root on the way to p = 2: it would spoil the gradient."""
    squared = (x[:, None, :] - y[None, :, :]).square().sum(-1)
    return squared if p == 2 else squared ** (p / 2)


@mistake(
    of="cost_matrix", title="the distance, not its power", hint="In which unit is your cost: metres or square metres?"
)
def unsquared_cost(ref, x, y, p=2):
    return _distances(x, y)


@mistake(
    of="cost_matrix", title="sum of absolute differences", hint="How far is (3, 4) from (0, 0), as the crow flies?"
)
def city_block_cost(ref, x, y, p=2):
    return (x[:, None, :] - y[None, :, :]).abs().sum(-1)


@mistake(
    of="cost_matrix",
    title="the p-th power coordinate by coordinate, the cost of the p-norm",
    hint="For p = 1, how much does it cost to go from (0, 0) to (3, 4)?",
    kind="convention",
)
def power_by_coordinate(ref, x, y, p=2):
    return (x[:, None, :] - y[None, :, :]).abs().pow(p).sum(-1)


@mistake(of="cost_matrix", title="p is ignored", hint="What does your function return for p = 1?")
def power_ignored(ref, x, y, p=2):
    return _distances(x, y, 2)


@mistake(
    of="cost_matrix",
    title="the p-th power of the squared distance",
    hint="Which power of the distance do you take in all?",
)
def power_of_square(ref, x, y, p=2):
    return _distances(x, y, 2) ** p


@mistake(
    of="cost_matrix",
    title="the cost is divided by p, as in geomloss: half the squared distance",
    hint="What does it cost to move one unit of mass over the distance 1?",
    kind="convention",
)
def half_cost(ref, x, y, p=2):
    return _distances(x, y, p) / p


@mistake(
    of="cost_matrix",
    title="mean over coordinates",
    hint="Does a distance shrink when a coordinate that is equal in both points is added?",
)
def mean_over_coordinates(ref, x, y, p=2):
    mean = (x[:, None, :] - y[None, :, :]).square().mean(-1)
    return mean if p == 2 else mean ** (p / 2)


@mistake(
    of="cost_matrix",
    title="divided by the largest cost",
    hint="If all points move twice as far apart, what happens to the cost?",
)
def cost_matrix_divided_by_max(ref, x, y, p=2):
    C = _distances(x, y, p)
    return C / C.max()


@mistake(of="cost_matrix", title="transposed", hint="Which cloud do the rows of C belong to?", checks=("cost/",))
def cost_transposed(ref, x, y, p=2):
    return (_distances(x, y, p)).T


# ------------------------------------------------------------------------------------------------ 6.1 closed forms
@mistake(
    of="wasserstein_1d", title="pairs in the given order", hint="May the distance change when one sample is shuffled?"
)
def unsorted_pairs(ref, u, v):
    return (u - v).abs().mean()


@mistake(of="wasserstein_1d", title="smallest with largest", hint="Do your lines cross when the pairs are joined?")
def opposite_order(ref, u, v):
    return (u.sort().values - v.sort(descending=True).values).abs().mean()


@mistake(of="wasserstein_1d", title="sum over pairs", hint="How much mass does each point of a sample of n carry?")
def sum_over_pairs(ref, u, v):
    return (u.sort().values - v.sort().values).abs().sum()


@mistake(of="wasserstein_1d", title="squared distances", hint="Which p does this function report?")
def mean_of_squares(ref, u, v):
    return (u.sort().values - v.sort().values).square().mean()


@mistake(
    of="wasserstein_1d",
    title="W2 instead of W1",
    hint="Which p does this function report, and what is done to each distance for it?",
)
def w2_on_the_line(ref, u, v):
    return (u.sort().values - v.sort().values).square().mean().sqrt()


@mistake(
    of="wasserstein_1d",
    title="differences without absolute value",
    hint="Can mass that moves left pay for mass that moves right?",
)
def signed_differences(ref, u, v):
    return (u.sort().values - v.sort().values).mean()


@mistake(of="wasserstein_1d", title="distance of the means", hint="How far is {-1, 1} from {0, 0}?")
def distance_of_means(ref, u, v):
    return (u.mean() - v.mean()).abs()


def _root(S):
    values, vectors = torch.linalg.eigh(S)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def _bures(S1, S2):
    half = _root(S1)
    return (S1 + S2).trace() - 2 * _root(half @ S2 @ half).trace()


@mistake(
    of="w2_gaussians",
    title="W2, with the root taken",
    hint="Which of W2 and its square does the assignment report?",
    kind="convention",
)
def root_taken(ref, m1, S1, m2, S2):
    return ((m1 - m2).square().sum() + _bures(S1, S2)).sqrt()


@mistake(
    of="w2_gaussians",
    title="the distance of the means is not squared",
    hint="Which units do the two terms have that you add?",
)
def means_not_squared(ref, m1, S1, m2, S2):
    return (m1 - m2).norm() + _bures(S1, S2)


@mistake(of="w2_gaussians", title="no root of the cross term", hint="What should come out for two equal Gaussians?")
def cross_root_forgotten(ref, m1, S1, m2, S2):
    half = _root(S1)
    return (m1 - m2).square().sum() + (S1 + S2 - 2 * half @ S2 @ half).trace()


@mistake(
    of="w2_gaussians",
    title="elementwise root of the product",
    hint="Is the square of your root, as a matrix product, the matrix again?",
)
def elementwise_root(ref, m1, S1, m2, S2):
    return (m1 - m2).square().sum() + (S1 + S2).trace() - 2 * (S1 @ S2).diagonal().clamp(min=0).sqrt().sum()


@mistake(
    of="w2_gaussians", title="variances of the coordinates only", hint="Does your answer depend on the correlations?"
)
def diagonals_only(ref, m1, S1, m2, S2):
    return (m1 - m2).square().sum() + (S1.diagonal().sqrt() - S2.diagonal().sqrt()).square().sum()


@mistake(
    of="w2_gaussians",
    title="the formula for covariances that commute",
    hint="When is the root of a product the product of the roots?",
)
def commuting_formula(ref, m1, S1, m2, S2):
    return (m1 - m2).square().sum() + (_root(S1) - _root(S2)).square().sum()


@mistake(
    of="w2_gaussians", title="the cross term once", hint="What should come out for two equal Gaussians, and what does?"
)
def cross_term_once(ref, m1, S1, m2, S2):
    return (m1 - m2).square().sum() + ((S1 + S2).trace() + _bures(S1, S2)) / 2


@mistake(of="w2_gaussians", title="covariances taken for deviations", hint="In which unit is an entry of S1?")
def covariances_as_deviations(ref, m1, S1, m2, S2):
    return (m1 - m2).square().sum() + (S1 - S2).square().sum()


# --------------------------------------------------------------------------------------------------- 6.4 objectives
@mistake(
    of="transport_cost",
    title="root of the cost",
    hint="Which of W2 and its square does the assignment report?",
    kind="convention",
)
def cost_root_taken(ref, P, C):
    return (P * C).sum().sqrt()


@mistake(of="transport_cost", title="mean over entries", hint="What do the entries of P add up to?")
def mean_over_entries(ref, P, C):
    return (P * C).mean()


@mistake(
    of="transport_cost",
    title="every row pays for its favourite only",
    hint="What becomes of the mass outside the largest entry of a row?",
)
def favourites_only(ref, P, C):
    return (P.sum(1) * C.gather(1, P.argmax(1, keepdim=True))[:, 0]).sum()


@mistake(
    of="transport_cost",
    title="matrix product",
    hint="Does the cost of the pair (i, j) meet the mass of the pair (i, j)?",
)
def matrix_product(ref, P, C):
    return (P @ C.T).sum()


def _kl(P, q):
    return (torch.xlogy(P, P) - torch.xlogy(P, q)).sum()


@mistake(
    of="entropic_objective",
    title="entropy of the plan as in POT: eps * sum P log P",
    hint="What should be added for the plan a b^T?",
    kind="convention",
)
def entropy_of_plan(ref, P, C, a, b, eps):
    return (P * C).sum() + eps * torch.xlogy(P, P).sum()


@mistake(
    of="entropic_objective",
    title="entropy of the plan as in Peyre and Cuturi: eps * sum P (log P - 1)",
    hint="What should be added for the plan a b^T?",
    kind="convention",
)
def entropy_less_mass(ref, P, C, a, b, eps):
    return (P * C).sum() + eps * (torch.xlogy(P, P) - P).sum()


@mistake(
    of="entropic_objective", title="the divergence is subtracted", hint="Should a sharper plan be punished or rewarded?"
)
def divergence_subtracted(ref, P, C, a, b, eps):
    return (P * C).sum() - eps * _kl(P, a[:, None] * b[None, :])


@mistake(of="entropic_objective", title="eps is left out", hint="In which unit is a divergence, and in which the cost?")
def eps_left_out(ref, P, C, a, b, eps):
    return (P * C).sum() + _kl(P, a[:, None] * b[None, :])


@mistake(
    of="entropic_objective",
    title="KL the other way round",
    hint="Under which of the two is the mean of the log ratio taken?",
)
def divergence_reversed(ref, P, C, a, b, eps):
    return (P * C).sum() + eps * _kl(a[:, None] * b[None, :], P)


@mistake(of="entropic_objective", title="logarithm to base 2", hint="In which unit is your divergence?")
def in_bits(ref, P, C, a, b, eps):
    return (P * C).sum() + eps * _kl(P, a[:, None] * b[None, :]) / torch.log(torch.tensor(2.0))


@mistake(of="entropic_objective", title="relative to the uniform plan", hint="Which plan should have divergence zero?")
def relative_to_uniform(ref, P, C, a, b, eps):
    return (P * C).sum() + eps * _kl(P, torch.full_like(P, 1 / P.numel()))


@mistake(
    of="entropic_objective",
    title="regularisation left out",
    hint="What does the result do when eps changes?",
    checks=("objective/",),
)
def regularisation_left_out(ref, P, C, a, b, eps):
    return (P * C).sum()


@mistake(
    of="entropic_objective",
    title="0 log 0 is not a number",
    hint="What does your formula make of a pair that exchanges nothing?",
)
def nan_at_zero(ref, P, C, a, b, eps):
    return (P * C).sum() + eps * (P * (P / (a[:, None] * b[None, :])).log()).sum()


@mistake(
    of="dual_objective", title="means instead of weighted means", hint="Try weights (0.9, 0.1): does your value notice?"
)
def means_of_potentials(ref, f, g, a, b):
    return f.mean() + g.mean()


@mistake(of="dual_objective", title="sums of the potentials", hint="Try weights (0.9, 0.1): does your value notice?")
def sums_of_potentials(ref, f, g, a, b):
    return f.sum() + g.sum()


@mistake(
    of="dual_objective",
    title="each potential with the other side's weights",
    hint="Which of the two marginals is f the price of?",
)
def weights_exchanged(ref, f, g, a, b):
    return f @ b + g @ a if len(f) == len(g) else f @ a + g @ b


@mistake(of="dual_objective", title="difference instead of sum", hint="How do f and g enter the exponent of the plan?")
def difference_of_terms(ref, f, g, a, b):
    return f @ a - g @ b


# --------------------------------------------------------------------------------------------------- 6.5 divergence
@mistake(of="sinkhorn_divergence", title="not debiased", hint="What is S(x, x)?")
def not_debiased(ref, x, y, eps):
    return ref._smallest_objective(x, y, eps)


@mistake(of="sinkhorn_divergence", title="self terms not halved", hint="What is S(x, x), and which sign has it?")
def self_terms_not_halved(ref, x, y, eps):
    OT = ref._smallest_objective
    return OT(x, y, eps) - OT(x, x, eps) - OT(y, y, eps)


@mistake(of="sinkhorn_divergence", title="self terms added", hint="What is S(x, x)?")
def self_terms_added(ref, x, y, eps):
    OT = ref._smallest_objective
    return OT(x, y, eps) + (OT(x, x, eps) + OT(y, y, eps)) / 2


@mistake(of="sinkhorn_divergence", title="only x is debiased", hint="Is S(x, y) equal to S(y, x)?")
def one_self_term(ref, x, y, eps):
    return ref._smallest_objective(x, y, eps) - ref._smallest_objective(x, x, eps)


@mistake(of="sinkhorn_divergence", title="only x is debiased, with the factor 1/2", hint="Is S(x, y) equal to S(y, x)?")
def half_of_one_self_term(ref, x, y, eps):
    return ref._smallest_objective(x, y, eps) - ref._smallest_objective(x, x, eps) / 2


@mistake(
    of="sinkhorn_divergence",
    title="twice the divergence: 2 OT(x, y) - OT(x, x) - OT(y, y)",
    hint="Which factors does the statement put before the three terms?",
    kind="convention",
)
def divergence_doubled(ref, x, y, eps):
    return 2 * _debiased(ref._smallest_objective, x, y, eps)


@mistake(of="sinkhorn_divergence", title="root of the divergence", hint="In which unit is S: metres or square metres?")
def root_of_divergence(ref, x, y, eps):
    return _debiased(ref._smallest_objective, x, y, eps).clamp(min=0).sqrt()


def _debiased(OT, x, y, eps):
    return OT(x, y, eps) - OT(x, x, eps) / 2 - OT(y, y, eps) / 2


def _plan(ref, x, y, eps, **kwargs):
    a, b = x.new_full((len(x),), 1 / len(x)), y.new_full((len(y),), 1 / len(y))
    C = ref.cost_matrix(x, y)
    return ref.sinkhorn_log(a, b, C.detach(), eps, **kwargs)[0], C, a, b


@mistake(
    of="sinkhorn_divergence",
    title="built from <P, C> alone, as in POT",
    hint="Which number does the regularised problem minimise?",
    kind="convention",
)
def sharp_divergence(ref, x, y, eps):
    def cost(x, y, eps):
        P, C, _, _ = _plan(ref, x, y, eps)
        return (P * C).sum()

    return _debiased(cost, x, y, eps)


@mistake(
    of="sinkhorn_divergence",
    title="ten iterations",
    hint="Does the value change when you double the number of iterations?",
)
def divergence_of_ten_iterations(ref, x, y, eps):
    def objective(x, y, eps):
        P, C, a, b = _plan(ref, x, y, eps, n_iter=10)
        return ref.entropic_objective(P, C, a, b, eps)

    return _debiased(objective, x, y, eps)


@mistake(
    of="sinkhorn_divergence", title="detached from x", hint="On which way can autograd come back from your result to x?"
)
def without_gradient(ref, x, y, eps):
    return _debiased(ref._smallest_objective, x, y, eps).detach()


@mistake(of="sinkhorn_divergence", title="self terms detached", hint="Which of the three terms move when x moves?")
def self_terms_detached(ref, x, y, eps):
    OT = ref._smallest_objective
    return OT(x, y, eps) - (OT(x, x, eps) / 2 + OT(y, y, eps) / 2).detach()


@mistake(
    of="sinkhorn_divergence",
    title="self term differentiated on one side",
    hint="How many times does x stand in OT(x, x)?",
)
def self_term_one_sided(ref, x, y, eps):
    OT = ref._smallest_objective
    return OT(x, y, eps) - OT(x, x.detach(), eps) / 2 - OT(y, y, eps) / 2


# --------------------------------------------------------------------------------------------------- 6.6 projection
@mistake(of="barycentric_projection", title="not normalised", hint="How much mass does a row of P hold?")
def row_not_normalised(ref, P, y, a):
    return P @ y


@mistake(of="barycentric_projection", title="divided by 1/n", hint="Try a = (0.9, 0.1): where does the first point go?")
def uniform_rows(ref, P, y, a):
    return len(a) * (P @ y)


@mistake(
    of="barycentric_projection",
    title="normalised by column sums",
    hint="Which sums of P should be one after normalising?",
)
def normalised_by_columns(ref, P, y, a):
    return (P / P.sum(0)) @ y


@mistake(
    of="barycentric_projection", title="the partner with most mass", hint="What becomes of the rest of the mass of x_i?"
)
def favourite_partner(ref, P, y, a):
    return y[P.argmax(1)]

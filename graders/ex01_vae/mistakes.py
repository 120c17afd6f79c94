"""Known wrong answers of exercise 1, each with a question that leads on.

`checks` keeps a mistake to the checks that can tell it from the others: a wrong divergence makes the ELBO wrong
as well, but there it could not be told from a wrong sum in `elbo` (and those checks are skipped then anyway).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from gdgrade.mistakes import mistake

SAMPLE = ("reparameterize/",)
KL = ("divergence/",)
LIKELIHOOD = ("likelihood/",)
NETWORKS = ("networks/",)
ELBO = ("elbo/",)
IWAE = ("iwae/",)
SHORT_RUN = ("training/short_run",)
GRID = ("grid/",)


# --- 1.1 reparameterize ---------------------------------------------------------------------------


@mistake(
    of="reparameterize",
    title="the noise is multiplied by the variance, exp(logvar)",
    hint="Which quantity does the encoder give? With logvar = log 4 and noise 1, how far from mu is z?",
    checks=("reparameterize/given_noise", "reparameterize/gradient"),
)
def variance_for_deviation(ref, mu, logvar, noise=None):
    return mu + torch.exp(logvar) * (torch.randn_like(mu) if noise is None else noise)


@mistake(
    of="reparameterize",
    title="logvar itself is used as the standard deviation",
    hint="What is the spread of z when logvar is 0? Can a standard deviation be negative?",
    checks=("reparameterize/given_noise", "reparameterize/gradient"),
)
def logvar_as_deviation(ref, mu, logvar, noise=None):
    return mu + logvar * (torch.randn_like(mu) if noise is None else noise)


@mistake(
    of="reparameterize",
    title="one noise vector is shared by the whole batch",
    hint="Put the same image into the batch twice. Should its two codes be equal?",
    checks=SAMPLE,
    seen_by="chance",
)
def noise_shared_by_batch(ref, mu, logvar, noise=None):
    shared = torch.randn(mu.shape[-1], dtype=mu.dtype) if noise is None else noise
    return mu + torch.exp(0.5 * logvar) * shared


@mistake(
    of="reparameterize",
    title="one noise number is shared by all latent coordinates",
    hint="Plot the first coordinate of many draws against the second. Should there be a pattern?",
    checks=SAMPLE,
    seen_by="chance",
)
def noise_shared_by_coordinates(ref, mu, logvar, noise=None):
    shared = torch.randn(mu.shape[0], 1, dtype=mu.dtype) if noise is None else noise
    return mu + torch.exp(0.5 * logvar) * shared


@mistake(
    of="reparameterize",
    title="every call draws the same noise again",
    hint="Call the function twice without noise. Should the two results be equal?",
    checks=SAMPLE,
    seen_by="chance",
)
def noise_reused(ref, mu, logvar, noise=None):
    if noise is None:
        same = torch.Generator().manual_seed(0)
        noise = torch.randn(mu.shape, generator=same, dtype=mu.dtype)
    return mu + torch.exp(0.5 * logvar) * noise


@mistake(
    of="reparameterize",
    title="the noise is uniform",
    hint="Which torch function draws from a normal law? What are mean and variance of the one you call?",
    checks=SAMPLE,
    seen_by="chance",
)
def uniform_noise(ref, mu, logvar, noise=None):
    return mu + torch.exp(0.5 * logvar) * (torch.rand_like(mu) if noise is None else noise)


@mistake(
    of="reparameterize",
    title="no gradient passes through the sample at all",
    hint="Ask autograd for the derivative of z with respect to mu. What should it be?",
    checks=SAMPLE,
)
def sample_detached(ref, mu, logvar, noise=None):
    with torch.no_grad():
        return mu + torch.exp(0.5 * logvar) * (torch.randn_like(mu) if noise is None else noise)


@mistake(
    of="reparameterize",
    title="without given noise, z is drawn by torch.normal, which has no gradient",
    hint="Leave the noise out and ask autograd for the derivative of z with respect to mu. Does it exist?",
    checks=SAMPLE,
)
def drawn_by_torch_normal(ref, mu, logvar, noise=None):
    if noise is None:
        return torch.normal(mu.detach(), torch.exp(0.5 * logvar.detach()))
    return mu + torch.exp(0.5 * logvar) * noise


# --- 1.2 kl_diag_gaussian -------------------------------------------------------------------------


@mistake(
    of="kl_diag_gaussian",
    title="the divergence of logvar read as log standard deviation: exp(2 logvar) in place of exp(logvar)",
    hint="Compare one example with torch.distributions.kl_divergence. Which term is off?",
    checks=KL,
)
def squared_variance_in_kl(ref, mu, logvar):
    return 0.5 * (torch.exp(2 * logvar) + mu**2 - 1 - logvar).sum(-1)


@mistake(
    of="kl_diag_gaussian",
    title="a consistent formula for networks that give log sigma instead of log sigma^2",
    hint="What does the encoder's second output mean in this exercise: log of which quantity?",
    kind="convention",
    checks=KL,
)
def log_deviation_in_kl(ref, mu, logvar):
    return 0.5 * (torch.exp(2 * logvar) + mu**2 - 1 - 2 * logvar).sum(-1)


@mistake(
    of="kl_diag_gaussian",
    title="the factor one half is missing",
    hint="What is the divergence of N(1, 1) from N(0, 1), worked out by hand?",
    checks=KL,
)
def kl_without_half(ref, mu, logvar):
    return (torch.exp(logvar) + mu**2 - 1 - logvar).sum(-1)


@mistake(
    of="kl_diag_gaussian",
    title="the sign is reversed",
    hint="Can a Kullback-Leibler divergence be negative?",
    checks=KL,
)
def kl_negative(ref, mu, logvar):
    return 0.5 * (1 + logvar - mu**2 - torch.exp(logvar)).sum(-1)


@mistake(
    of="kl_diag_gaussian",
    title="averaged over the latent coordinates",
    hint="Two independent coordinates with divergence 1 each: what is the divergence of the pair?",
    checks=KL,
)
def kl_mean_over_coordinates(ref, mu, logvar):
    return 0.5 * (torch.exp(logvar) + mu**2 - 1 - logvar).mean(-1)


@mistake(
    of="kl_diag_gaussian",
    title="the two distributions are exchanged: KL(p || q)",
    hint="A divergence is not symmetric. Over which of the two laws is the average taken in the ELBO?",
    checks=KL,
)
def kl_reversed(ref, mu, logvar):
    return 0.5 * ((1 + mu**2) * torch.exp(-logvar) - 1 + logvar).sum(-1)


@mistake(
    of="kl_diag_gaussian",
    title="the -1 is missing",
    hint="What must the divergence be when q is the prior itself?",
    checks=KL,
)
def kl_without_one(ref, mu, logvar):
    return 0.5 * (torch.exp(logvar) + mu**2 - logvar).sum(-1)


# --- 1.3 bernoulli_log_likelihood -----------------------------------------------------------------


@mistake(
    of="bernoulli_log_likelihood",
    title="the sigmoid is applied twice",
    hint="Which probabilities can your function reach when the logits run from -20 to 20?",
    checks=LIKELIHOOD,
)
def sigmoid_twice(ref, logits, x):
    return -F.binary_cross_entropy_with_logits(torch.sigmoid(logits), x, reduction="none").sum(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="averaged over the pixels",
    hint="The probability of two independent pixels is a product. What becomes of it under the logarithm?",
    checks=LIKELIHOOD,
)
def likelihood_mean_over_pixels(ref, logits, x):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="the cross-entropy itself, a loss to be minimised",
    hint="A log-probability of discrete pixels: can it be positive?",
    kind="convention",
    checks=LIKELIHOOD,
)
def cross_entropy(ref, logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="only the bright pixels count: the (1 - x) term is missing",
    hint="What does your function say of a black image? Can the decoder be wrong about a black pixel?",
    checks=LIKELIHOOD,
)
def only_bright_pixels(ref, logits, x):
    return (x * F.logsigmoid(logits)).sum(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="half the negative squared error between pixels and probabilities",
    hint="Which law of the pixels has a squared error as its log-density? Which law does the decoder model?",
    checks=LIKELIHOOD,
)
def squared_error(ref, logits, x):
    return -0.5 * ((x - torch.sigmoid(logits)) ** 2).sum(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="in bits: logarithms of base 2",
    hint="Which unit does the exercise ask for, and which base of the logarithm belongs to it?",
    kind="convention",
    checks=LIKELIHOOD,
)
def likelihood_in_bits(ref, logits, x):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1) / math.log(2)


@mistake(
    of="bernoulli_log_likelihood",
    title="log(sigmoid + 1e-8): a small number keeps the logarithm finite",
    hint="What does your function give for a bright pixel at logit -100? How far is that from -100?",
    checks=LIKELIHOOD,
)
def epsilon_in_log(ref, logits, x):
    p = torch.sigmoid(logits)
    return (x * torch.log(p + 1e-8) + (1 - x) * torch.log(1 - p + 1e-8)).sum(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="log(sigmoid), which is -inf or NaN for large logits",
    hint="What is 1 - sigmoid(50) in floating point, and what is the logarithm of that?",
    checks=LIKELIHOOD,
)
def logarithm_of_sigmoid(ref, logits, x):
    p = torch.sigmoid(logits)
    return (x * torch.log(p) + (1 - x) * torch.log(1 - p)).sum(-1)


@mistake(
    of="bernoulli_log_likelihood",
    title="binary_cross_entropy of probabilities, which stops at 100 nats per pixel",
    hint="What does your function give for a bright pixel at logit -200? Which numbers can no sigmoid tell apart?",
    checks=LIKELIHOOD,
)
def cross_entropy_of_probabilities(ref, logits, x):
    return -F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none").sum(-1)


# --- 1.4 Encoder, Decoder -------------------------------------------------------------------------


@mistake(
    of="Decoder",
    title="a sigmoid at the end of the decoder",
    hint="Are the numbers that leave your decoder logits? Which values can they take?",
    factory=True,
    checks=NETWORKS,
)
def decoder_gives_probabilities(ref):
    class Decoder(ref.Decoder):
        def forward(self, z):
            return torch.sigmoid(super().forward(z))

    return Decoder


@mistake(
    of="Encoder",
    title="softplus on the second output: it is a standard deviation or variance, not a logarithm",
    hint="May the logarithm of a variance be negative? Can your second output be?",
    factory=True,
    checks=NETWORKS,
)
def encoder_gives_deviation(ref):
    class Encoder(ref.Encoder):
        def forward(self, x):
            mu, spread = super().forward(x)
            return mu, F.softplus(spread)

    return Encoder


@mistake(
    of="Encoder",
    title="tanh on the mean",
    hint="How far from the origin can your codes lie, and how far do the codes of the prior lie?",
    factory=True,
    checks=NETWORKS,
)
def encoder_bounds_mean(ref):
    class Encoder(ref.Encoder):
        def forward(self, x):
            mu, logvar = super().forward(x)
            return torch.tanh(mu), logvar

    return Encoder


@mistake(
    of="Encoder",
    title="no activation after the hidden layer",
    hint="Two affine maps in a row: which map is that? What is the hidden layer good for then?",
    factory=True,
    checks=NETWORKS,
)
def encoder_without_activation(ref):
    class Encoder(ref.Encoder):
        def forward(self, x):
            h = self.hidden(x)
            return self.mu(h), self.logvar(h)

    return Encoder


@mistake(
    of="Decoder",
    title="no activation after the hidden layer",
    hint="Two affine maps in a row: which map is that? Which pictures can a plane of codes then give?",
    factory=True,
    checks=NETWORKS,
)
def decoder_without_activation(ref):
    class Decoder(ref.Decoder):
        def forward(self, z):
            return self.logits(self.hidden(z))

    return Decoder


@mistake(
    of="Encoder",
    title="the layers are kept in a plain list, so the optimiser never sees them",
    hint="How many parameters does list(encoder.parameters()) hold?",
    factory=True,
    checks=NETWORKS,
)
def encoder_layers_in_list(ref):
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(784, 64), nn.Linear(64, 2), nn.Linear(64, 2)]

        def forward(self, x):
            h = torch.relu(self.layers[0](x))
            return self.layers[1](h), self.layers[2](h)

    return Encoder


@mistake(
    of="Decoder",
    title="the hidden layer is computed but not used",
    hint="Which of the decoder's parameters receive a gradient?",
    factory=True,
    checks=NETWORKS,
)
def decoder_skips_hidden(ref):
    class Decoder(ref.Decoder):
        def forward(self, z):
            h = torch.relu(self.hidden(z)).detach()
            return self.logits(h)

    return Decoder


# --- 1.5 elbo -------------------------------------------------------------------------------------


@mistake(
    of="elbo",
    title="the divergence is added",
    hint="Is the ELBO raised or lowered when q moves away from the prior?",
    checks=ELBO,
)
def elbo_adds_kl(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = ref.reparameterize(mu, logvar, noise)
    return ref.bernoulli_log_likelihood(decoder(z), x) + ref.kl_diag_gaussian(mu, logvar)


@mistake(
    of="elbo",
    title="the loss -ELBO, to be minimised",
    hint="Should the number rise or fall while the model gets better?",
    kind="convention",
    checks=ELBO,
)
def elbo_is_loss(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = ref.reparameterize(mu, logvar, noise)
    return ref.kl_diag_gaussian(mu, logvar) - ref.bernoulli_log_likelihood(decoder(z), x)


@mistake(
    of="elbo",
    title="both terms are averaged, over 784 pixels and over 2 coordinates: the divergence weighs 392-fold",
    hint="By how much does each term shrink when you average instead of summing? Is it the same factor?",
    checks=ELBO,
)
def elbo_both_averaged(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = ref.reparameterize(mu, logvar, noise)
    pixels, coordinates = x.shape[-1], mu.shape[-1]
    return ref.bernoulli_log_likelihood(decoder(z), x) / pixels - ref.kl_diag_gaussian(mu, logvar) / coordinates


@mistake(
    of="elbo",
    title="the mean is decoded, no sample is drawn",
    hint="Where does sigma(x) enter your reconstruction term?",
    checks=ELBO,
)
def elbo_decodes_mean(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    return ref.bernoulli_log_likelihood(decoder(mu), x) - ref.kl_diag_gaussian(mu, logvar)


@mistake(
    of="elbo",
    title="the code is drawn from the prior, not from q(z|x)",
    hint="Which law must z have in the reconstruction term? Does your z know which image it stands for?",
    checks=ELBO,
)
def elbo_samples_prior(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = torch.randn_like(mu) if noise is None else noise
    return ref.bernoulli_log_likelihood(decoder(z), x) - ref.kl_diag_gaussian(mu, logvar)


@mistake(
    of="elbo",
    title="log p(z) - log q(z|x) at the sample in place of the analytic divergence (estimator A)",
    hint="The paper gives two estimators. Which one has less variance, and which one is asked for?",
    kind="convention",
    checks=ELBO,
)
def elbo_sampled_kl(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = ref.reparameterize(mu, logvar, noise)
    log_ratio = -0.5 * (z**2 - (z - mu) ** 2 * torch.exp(-logvar) - logvar).sum(-1)
    return ref.bernoulli_log_likelihood(decoder(z), x) + log_ratio


@mistake(
    of="elbo",
    title="the code is detached before it is decoded",
    hint="Which term of the ELBO tells the encoder to tell images apart, and does its gradient get there?",
    checks=ELBO,
)
def elbo_detaches_code(ref, x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = ref.reparameterize(mu, logvar, noise).detach()
    return ref.bernoulli_log_likelihood(decoder(z), x) - ref.kl_diag_gaussian(mu, logvar)


# --- 1.6 iwae_bound -------------------------------------------------------------------------------


def _log_normal(z, mu, logvar):
    return torch.distributions.Normal(mu, torch.exp(0.5 * logvar)).log_prob(z).sum(-1)


def _log_weights(ref, x, encoder, decoder, K, noise, one_noise=False):
    """log w (K, B) and its pieces log p(x|z), log p(z), log q(z|x), and KL (B,)."""
    mu, logvar = encoder(x)
    if noise is None:
        noise = torch.randn(1 if one_noise else K, *mu.shape, dtype=mu.dtype)
    codes = [mu + torch.exp(0.5 * logvar) * noise[k % len(noise)] for k in range(K)]
    likelihood = torch.stack([ref.bernoulli_log_likelihood(decoder(z), x) for z in codes])
    zero = torch.zeros_like(mu)
    prior = torch.stack([_log_normal(z, zero, zero) for z in codes])
    proposal = torch.stack([_log_normal(z, mu, logvar) for z in codes])
    return likelihood, prior, proposal, ref.kl_diag_gaussian(mu, logvar)


@mistake(
    of="iwae_bound",
    title="the mean of the logarithms: the ELBO for every K",
    hint="Should K = 1 and K = 100 give the same bound on average?",
    checks=IWAE,
)
def iwae_mean_of_logs(ref, x, encoder, decoder, K, noise=None):
    likelihood, prior, proposal, _ = _log_weights(ref, x, encoder, decoder, K, noise)
    return (likelihood + prior - proposal).mean(0)


@mistake(
    of="iwae_bound",
    title="the weights are summed, not averaged",
    hint="Take K copies of the same sample: should the bound change with K?",
    checks=IWAE,
)
def iwae_sum_of_weights(ref, x, encoder, decoder, K, noise=None):
    likelihood, prior, proposal, _ = _log_weights(ref, x, encoder, decoder, K, noise)
    return torch.logsumexp(likelihood + prior - proposal, 0)


@mistake(
    of="iwae_bound",
    title="the weights themselves are averaged, so that they underflow",
    hint="How large is exp(-800) in floating point, and what is the logarithm of that?",
    checks=IWAE,
)
def iwae_underflows(ref, x, encoder, decoder, K, noise=None):
    likelihood, prior, proposal, _ = _log_weights(ref, x, encoder, decoder, K, noise)
    return torch.exp(likelihood + prior - proposal).mean(0).log()


@mistake(
    of="iwae_bound",
    title="the analytic divergence stands in every weight in place of log p(z) - log q(z|x)",
    hint="Which two densities stand in an importance weight, and at which point are they evaluated?",
    checks=IWAE,
)
def iwae_analytic_kl(ref, x, encoder, decoder, K, noise=None):
    likelihood, _, _, divergence = _log_weights(ref, x, encoder, decoder, K, noise)
    return torch.logsumexp(likelihood - divergence, 0) - math.log(K)


@mistake(
    of="iwae_bound",
    title="log q(z|x) is missing from the weights",
    hint="The samples come from q. Which factor of the weight corrects for that?",
    checks=IWAE,
)
def iwae_without_proposal(ref, x, encoder, decoder, K, noise=None):
    likelihood, prior, _, _ = _log_weights(ref, x, encoder, decoder, K, noise)
    return torch.logsumexp(likelihood + prior, 0) - math.log(K)


@mistake(
    of="iwae_bound",
    title="log q(z|x) without -log sigma: the density of the noise, not that of z",
    hint="What happens to a density when its variable is stretched by sigma?",
    checks=IWAE,
)
def iwae_density_of_noise(ref, x, encoder, decoder, K, noise=None):
    mu, logvar = encoder(x)
    eps = torch.randn(K, *mu.shape, dtype=mu.dtype) if noise is None else noise
    z = mu + torch.exp(logvar / 2) * eps
    log_lik = torch.stack([ref.bernoulli_log_likelihood(decoder(code), x) for code in z])
    log_weights = log_lik + (eps.square() - z.square()).sum(-1) / 2
    return torch.logsumexp(log_weights, 0) - math.log(K)


@mistake(
    of="iwae_bound",
    title="the prior is missing from the weights",
    hint="Which joint density stands in the numerator of the weight? Are all its factors there?",
    checks=IWAE,
)
def iwae_without_prior(ref, x, encoder, decoder, K, noise=None):
    likelihood, _, proposal, _ = _log_weights(ref, x, encoder, decoder, K, noise)
    return torch.logsumexp(likelihood - proposal, 0) - math.log(K)


@mistake(
    of="iwae_bound",
    title="the same noise is used for all K samples",
    hint="How many different codes does your decoder see for one image when K = 100?",
    checks=("iwae/fresh_noise",),
    seen_by="chance",
)
def iwae_one_noise(ref, x, encoder, decoder, K, noise=None):
    likelihood, prior, proposal, _ = _log_weights(ref, x, encoder, decoder, K, noise, one_noise=True)
    return torch.logsumexp(likelihood + prior - proposal, 0) - math.log(K)


@mistake(
    of="iwae_bound",
    title="the most likely of the K samples only",
    hint="With K equal samples, which functions of the weights give the same result? Which one is the mean?",
    checks=IWAE,
)
def iwae_largest_weight(ref, x, encoder, decoder, K, noise=None):
    likelihood, prior, proposal, _ = _log_weights(ref, x, encoder, decoder, K, noise)
    return (likelihood + prior - proposal).max(0).values


# --- 1.7 train ------------------------------------------------------------------------------------


def _train(encoder, decoder, data, epochs, batch_size, lr, parameters, loss_of):
    optimizer = torch.optim.Adam(parameters, lr=lr)
    for _ in range(epochs):
        for rows in torch.randperm(len(data)).split(batch_size):
            optimizer.zero_grad()
            loss_of(data[rows], encoder, decoder).backward()
            optimizer.step()


def _terms(ref, x, encoder, decoder):
    mu, logvar = encoder(x)
    z = ref.reparameterize(mu, logvar)
    return ref.bernoulli_log_likelihood(decoder(z), x), ref.kl_diag_gaussian(mu, logvar)


@mistake(
    of="train",
    title="the optimiser gets the decoder's parameters only",
    hint="Which parameters does your optimiser hold? Print one weight of each network before and after.",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_decoder_only(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    def loss(x, e, d):
        return -ref.elbo(x, e, d).mean()

    _train(encoder, decoder, data, epochs, batch_size, lr, list(decoder.parameters()), loss)


@mistake(
    of="train",
    title="the optimiser gets the encoder's parameters only",
    hint="Which parameters does your optimiser hold? Which network paints the images?",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_encoder_only(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    def loss(x, e, d):
        return -ref.elbo(x, e, d).mean()

    _train(encoder, decoder, data, epochs, batch_size, lr, list(encoder.parameters()), loss)


@mistake(
    of="train",
    title="the caller's networks stay as they were: copies are trained, or no step is ever taken",
    hint="Print one weight of the caller's network before and after train. Which line of yours should change it?",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_copies(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    return None


@mistake(
    of="train",
    title="the ELBO is minimised",
    hint="Does the optimiser make its argument larger or smaller? Which of the two do you want for a bound?",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_minimises_elbo(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    def loss(x, e, d):
        return ref.elbo(x, e, d).mean()

    both = [*encoder.parameters(), *decoder.parameters()]
    _train(encoder, decoder, data, epochs, batch_size, lr, both, loss)


@mistake(
    of="train",
    title="the divergence is left out of the loss",
    hint="What keeps the codes near the prior? Print the KL term after every epoch.",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_without_kl(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    def loss(x, e, d):
        return -_terms(ref, x, e, d)[0].mean()

    both = [*encoder.parameters(), *decoder.parameters()]
    _train(encoder, decoder, data, epochs, batch_size, lr, both, loss)


@mistake(
    of="train",
    title="both terms are averaged, over pixels and over coordinates: the divergence weighs 392-fold",
    hint="What is the KL term after your training? What does it mean if every image gets the same code?",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_both_averaged(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    def loss(x, e, d):
        reconstruction, divergence = _terms(ref, x, e, d)
        return -(reconstruction / 784 - divergence / 2).mean()

    both = [*encoder.parameters(), *decoder.parameters()]
    _train(encoder, decoder, data, epochs, batch_size, lr, both, loss)


@mistake(
    of="train",
    title="the gradients of earlier steps are never cleared",
    hint="What does backward() do with a gradient that is already there?",
    checks=SHORT_RUN,
    seen_by="training",
)
def train_keeps_gradients(ref, encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=lr)
    for _ in range(epochs):
        for rows in torch.randperm(len(data)).split(batch_size):
            (-ref.elbo(data[rows], encoder, decoder).mean()).backward()
            optimizer.step()


# --- 1.8 latent_grid ------------------------------------------------------------------------------


@mistake(
    of="latent_grid",
    title="codes at equal distances instead of equal probabilities",
    hint="How much of the prior's mass lies between two neighbouring codes? Is it the same everywhere?",
    kind="convention",
    checks=GRID,
)
def grid_equal_distances(ref, decoder, n=15):
    axis = torch.linspace(-3, 3, n, dtype=torch.get_default_dtype())
    return torch.sigmoid(decoder(torch.cartesian_prod(axis, axis)))


@mistake(
    of="latent_grid",
    title="logits are returned instead of probabilities",
    hint="Which values can a pixel of your pictures take, and which should it take?",
    checks=GRID,
)
def grid_of_logits(ref, decoder, n=15):
    levels = (torch.arange(n, dtype=torch.get_default_dtype()) + 0.5) / n
    axis = torch.special.ndtri(levels)
    return decoder(torch.cartesian_prod(axis, axis))


@mistake(
    of="latent_grid",
    title="the levels start at 0 and end at 1, whose quantiles are infinite",
    hint="What is the normal quantile of probability 1?",
    checks=GRID,
)
def grid_touches_ends(ref, decoder, n=15):
    axis = torch.special.ndtri(torch.linspace(0, 1, n, dtype=torch.get_default_dtype()))
    return torch.sigmoid(decoder(torch.cartesian_prod(axis, axis)))


@mistake(
    of="latent_grid",
    title="the codes are the levels themselves, between 0 and 1",
    hint="Which part of the latent plane does your grid cover, and where does the prior put its mass?",
    checks=GRID,
)
def grid_of_levels(ref, decoder, n=15):
    axis = (torch.arange(n, dtype=torch.get_default_dtype()) + 0.5) / n
    return torch.sigmoid(decoder(torch.cartesian_prod(axis, axis)))


# --- 1.9 interpolate, 1.10 gaussian_log_likelihood (optional) -------------------------------------


@mistake(
    of="interpolate",
    title="the pictures are mixed, not the codes",
    hint="Where does the straight line run: between two images, or between two points of the latent plane?",
    checks=("interpolation/",),
)
def interpolate_pictures(ref, x_a, x_b, encoder, decoder, n=10):
    mu, _ = encoder(torch.stack([x_a, x_b]))
    first, last = torch.sigmoid(decoder(mu))
    t = torch.linspace(0, 1, n, dtype=mu.dtype)[:, None]
    return (1 - t) * first + t * last


@mistake(
    of="interpolate",
    title="the last code is left out",
    hint="Which code belongs to the last of your n pictures?",
    checks=("interpolation/",),
)
def interpolate_without_end(ref, x_a, x_b, encoder, decoder, n=10):
    mu, _ = encoder(torch.stack([x_a, x_b]))
    t = torch.arange(n, dtype=mu.dtype)[:, None] / n
    return torch.sigmoid(decoder((1 - t) * mu[0] + t * mu[1]))


@mistake(
    of="interpolate",
    title="logits are returned instead of probabilities",
    hint="Which values can a pixel of your pictures take, and which should it take?",
    checks=("interpolation/",),
)
def interpolate_logits(ref, x_a, x_b, encoder, decoder, n=10):
    mu, _ = encoder(torch.stack([x_a, x_b]))
    return decoder(torch.lerp(mu[:1], mu[1:], torch.linspace(0, 1, n, dtype=mu.dtype)[:, None]))


@mistake(
    of="gaussian_log_likelihood",
    title="the normalising constant is left out",
    hint="Does the exponential of your function integrate to one over x?",
    checks=("gaussian/log_density",),
)
def gaussian_without_constant(ref, x_hat, x, sigma):
    return -((x - x_hat) ** 2).sum(-1) / (2 * sigma**2)


@mistake(
    of="gaussian_log_likelihood",
    title="sigma is used as a variance",
    hint="What happens to the squared error's weight when sigma doubles?",
    checks=("gaussian/log_density",),
)
def gaussian_sigma_for_variance(ref, x_hat, x, sigma):
    return -0.5 * ((x - x_hat) ** 2 / sigma + math.log(2 * math.pi * sigma)).sum(-1)


@mistake(
    of="gaussian_log_likelihood",
    title="the constant of one coordinate instead of D",
    hint="How many normal densities are multiplied? How many constants does their logarithm add up?",
    checks=("gaussian/log_density",),
)
def gaussian_one_constant(ref, x_hat, x, sigma):
    return -0.5 * math.log(2 * math.pi * sigma**2) - ((x - x_hat) ** 2).sum(-1) / (2 * sigma**2)

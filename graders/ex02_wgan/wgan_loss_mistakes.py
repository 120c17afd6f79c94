"""Known wrong losses of GAN and WGAN (parts 2.1 and 2.2), as overrides of the reference."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import logsigmoid, relu

from gdgrade.mistakes import mistake

GAN, WASSERSTEIN = ("gan/",), ("wasserstein/",)


def entropy(logits, label):
    """Binary cross-entropy of logits against one label for all, their mean."""
    return bce(logits, torch.full_like(logits, label))


# ---- 2.1 discriminator


@mistake(
    of="discriminator_loss",
    title="the mean of the real and the fake half instead of their sum",
    hint="What is your loss for a discriminator that always says one half, and what does the statement say it is?",
    kind="convention",
    checks=GAN,
)
def discriminator_mean_of_halves(ref, d_real, d_fake):
    return (entropy(d_real, 1.0) + entropy(d_fake, 0.0)) / 2


@mistake(
    of="discriminator_loss",
    title="one mean over the joined batch",
    hint="If there are twice as many fake as real samples, do both halves still have the same say?",
    checks=GAN,
)
def discriminator_joined_mean(ref, d_real, d_fake):
    labels = torch.cat([torch.ones_like(d_real), torch.zeros_like(d_fake)])
    return bce(torch.cat([d_real, d_fake]), labels)


@mistake(
    of="discriminator_loss",
    title="the sum over the batch instead of its mean",
    hint="What happens to your loss when every sample of the batch is there twice?",
    kind="convention",
    checks=GAN,
)
def discriminator_sum_over_batch(ref, d_real, d_fake):
    return -logsigmoid(d_real).sum() - logsigmoid(-d_fake).sum()


@mistake(
    of="discriminator_loss",
    title="real labelled 0 and fake labelled 1",
    hint="For a real sample with a large positive logit, should the discriminator be praised or blamed?",
    checks=GAN,
)
def discriminator_labels_swapped(ref, d_real, d_fake):
    return entropy(d_real, 0.0) + entropy(d_fake, 1.0)


@mistake(
    of="discriminator_loss",
    title="fake samples labelled 1 like real ones",
    hint="Could a discriminator with your loss win by saying the same to everybody?",
    checks=GAN,
)
def discriminator_all_real(ref, d_real, d_fake):
    return entropy(d_real, 1.0) + entropy(d_fake, 1.0)


@mistake(
    of="discriminator_loss",
    title="the fake half is missing",
    hint="Which of your two arguments can change without your loss changing?",
    checks=GAN,
)
def discriminator_without_fake(ref, d_real, d_fake):
    return entropy(d_real, 1.0)


@mistake(
    of="discriminator_loss",
    title="a sigmoid before a loss that has one inside",
    hint="How small can your loss get when the discriminator is always right and infinitely sure?",
    checks=GAN,
)
def discriminator_sigmoid_twice(ref, d_real, d_fake):
    return entropy(d_real.sigmoid(), 1.0) + entropy(d_fake.sigmoid(), 0.0)


@mistake(
    of="discriminator_loss",
    title="logits are taken for probabilities",
    hint="What is the logarithm in your loss applied to, and between which values does that lie?",
    checks=GAN,
)
def discriminator_logits_as_probabilities(ref, d_real, d_fake):
    return -d_real.log().mean() - (1 - d_fake).log().mean()


@mistake(
    of="discriminator_loss",
    title="logits are clamped to (0, 1) and taken for probabilities",
    hint="Do your losses for the logits 2 and 200 differ? Should they?",
    checks=GAN,
)
def discriminator_logits_clamped(ref, d_real, d_fake):
    return -d_real.clamp(1e-7, 1 - 1e-7).log().mean() - (1 - d_fake.clamp(1e-7, 1 - 1e-7)).log().mean()


@mistake(
    of="discriminator_loss",
    title="sigmoid first, logarithm afterwards",
    hint="What is log(1 - sigmoid(200)) on your computer, and what is it in truth?",
    checks=GAN,
)
def discriminator_overflows(ref, d_real, d_fake):
    return -d_real.sigmoid().log().mean() - (1 - d_fake.sigmoid()).log().mean()


# ---- 2.1 generator


@mistake(
    of="generator_loss_ns",
    title="the generator is trained to be recognised as fake",
    hint="What should the generator wish the discriminator to say about its samples?",
    checks=GAN,
)
def ns_labels_swapped(ref, d_fake):
    return entropy(d_fake, 0.0)


@mistake(
    of="generator_loss_ns",
    title="the saturating loss where the other is asked for",
    hint="Plot the slope of your loss for logits from -10 to 0: where does the generator learn fastest?",
    checks=GAN,
)
def ns_is_saturating(ref, d_fake):
    return -entropy(d_fake, 0.0)


@mistake(
    of="generator_loss_ns",
    title="the wrong sign",
    hint="Your loss will be minimised: what happens to the logits of fake samples then?",
    checks=GAN,
)
def ns_minus_sign(ref, d_fake):
    return logsigmoid(d_fake).mean()


@mistake(
    of="generator_loss_ns",
    title="a sigmoid before a loss that has one inside",
    hint="How small can your loss get when the generator deceives the discriminator completely?",
    checks=GAN,
)
def ns_sigmoid_twice(ref, d_fake):
    return entropy(d_fake.sigmoid(), 1.0)


@mistake(
    of="generator_loss_ns",
    title="minus the mean logit",
    hint="To which of the two games does your loss belong: that of probabilities or that of the critic?",
    checks=GAN,
)
def ns_of_wasserstein(ref, d_fake):
    return -d_fake.mean()


@mistake(
    of="generator_loss_ns",
    title="sigmoid first, logarithm afterwards",
    hint="What is sigmoid(-800) on your computer, and what is its logarithm?",
    checks=GAN,
)
def ns_through_probability(ref, d_fake):
    return -(1 - (1 - d_fake.sigmoid())).log().mean()


@mistake(
    of="generator_loss_saturating",
    title="the wrong sign",
    hint="Your loss will be minimised: what happens to the logits of fake samples then?",
    checks=GAN,
)
def saturating_minus_sign(ref, d_fake):
    return entropy(d_fake, 0.0)


@mistake(
    of="generator_loss_saturating",
    title="the non-saturating loss where the other is asked for",
    hint="In the min-max formula, which function of D(G(z)) does the generator see?",
    checks=GAN,
)
def saturating_is_not(ref, d_fake):
    return entropy(d_fake, 1.0)


@mistake(
    of="generator_loss_saturating",
    title="log D instead of log(1 - D)",
    hint="Is your loss small or large when the discriminator takes every fake sample for real? Which should it be?",
    checks=GAN,
)
def saturating_log_of_probability(ref, d_fake):
    return logsigmoid(d_fake).mean()


@mistake(
    of="generator_loss_saturating",
    title="sigmoid first, logarithm afterwards",
    hint="What is log(1 - sigmoid(200)) on your computer, and what is it in truth?",
    checks=GAN,
)
def saturating_overflows(ref, d_fake):
    return (1 - d_fake.sigmoid()).log().mean()


# ---- 2.2 Wasserstein


@mistake(
    of="critic_loss",
    title="the gap itself, which minimising would close",
    hint="What happens to the gap while your critic trains, and what should happen?",
    checks=WASSERSTEIN,
)
def critic_minus_sign(ref, c_real, c_fake):
    return c_real.mean() - c_fake.mean()


@mistake(
    of="critic_loss",
    title="the absolute value of the gap",
    hint="Does your loss know which of its arguments is real?",
    checks=WASSERSTEIN,
)
def critic_absolute_gap(ref, c_real, c_fake):
    return -(c_real.mean() - c_fake.mean()).abs()


@mistake(
    of="critic_loss",
    title="the sum over the batch instead of its mean",
    hint="What happens to your loss when every sample of the batch is there twice?",
    kind="convention",
    checks=WASSERSTEIN,
)
def critic_sum_over_batch(ref, c_real, c_fake):
    return c_fake.sum() - c_real.sum()


@mistake(
    of="critic_loss",
    title="a sigmoid on the critic",
    hint="If real and fake data lie 100 apart, can your gap become 100?",
    checks=WASSERSTEIN,
)
def critic_sigmoid(ref, c_real, c_fake):
    return c_fake.sigmoid().mean() - c_real.sigmoid().mean()


@mistake(
    of="critic_loss",
    title="the cross-entropy of the GAN",
    hint="Does a critic say probabilities? What is its loss on values that are all raised by 7?",
    checks=WASSERSTEIN,
)
def critic_cross_entropy(ref, c_real, c_fake):
    return entropy(c_real, 1.0) + entropy(c_fake, 0.0)


@mistake(
    of="critic_loss",
    title="the hinge loss",
    hint="Once the critic's values are beyond 1 and -1, does your loss still change? Does the distance?",
    checks=WASSERSTEIN,
)
def critic_hinge(ref, c_real, c_fake):
    return relu(1 - c_real).mean() + relu(1 + c_fake).mean()


@mistake(
    of="generator_loss_w",
    title="the wrong sign",
    hint="The critic gives high values to real data. Where should the generator push the values of its own?",
    checks=WASSERSTEIN,
)
def generator_minus_sign(ref, c_fake):
    return c_fake.mean()


@mistake(
    of="generator_loss_w",
    title="the non-saturating loss of the GAN",
    hint="If all values of the critic are raised by 100, should the generator learn more slowly?",
    checks=WASSERSTEIN,
)
def generator_cross_entropy(ref, c_fake):
    return entropy(c_fake, 1.0)


@mistake(
    of="generator_loss_w",
    title="a sigmoid on the critic",
    hint="How fast does your loss fall for a sample with the critic value 50?",
    checks=WASSERSTEIN,
)
def generator_sigmoid(ref, c_fake):
    return -c_fake.sigmoid().mean()


@mistake(
    of="generator_loss_w",
    title="the sum over the batch instead of its mean",
    hint="What happens to your loss when every sample of the batch is there twice?",
    kind="convention",
    checks=WASSERSTEIN,
)
def generator_sum_over_batch(ref, c_fake):
    return -c_fake.sum()

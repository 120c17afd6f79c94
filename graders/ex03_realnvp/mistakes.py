"""Known wrong ways to write this exercise, as small overrides of the reference.

Answers depend on random weights, so the checks tell mistakes apart by labels (see flow_judging.py), not by numbers.
"""

from gdgrade.mistakes import mistake

LAYER = ("coupling/", "module/", "robust/")
FLOW = ("flow/", "robust/far_points_of_flow")


def layer_of(ref, **overrides):
    """The reference's coupling layer with some methods replaced."""

    class Layer(ref.AffineCoupling):
        pass

    for name, function in overrides.items():
        setattr(Layer, name, function)
    Layer.__name__ = "AffineCoupling"
    return Layer


def flow_of(ref, **overrides):
    """The reference's flow with some methods replaced."""

    class Flow(ref.RealNVP):
        pass

    for name, function in overrides.items():
        setattr(Flow, name, function)
    Flow.__name__ = "RealNVP"
    return Flow


# -- part 3.1: the layer ---------------------------------------------------------------------------------------------


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="inverse reports the log-determinant of forward",
    hint="A layer that doubles areas on the way out: what does it do to areas on the way back?",
)
def inverse_log_det_of_forward(ref):
    def inverse(self, x):
        z, log_det = ref_inverse(self, x)
        return z, -log_det

    ref_inverse = ref.AffineCoupling.inverse
    return layer_of(ref, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="forward reports the log-determinant of inverse",
    hint="Let s be positive. Are areas larger or smaller after forward, and which sign says so?",
)
def forward_log_det_of_inverse(ref):
    def forward(self, z):
        x, log_det = ref_forward(self, z)
        return x, -log_det

    ref_forward = ref.AffineCoupling.forward
    return layer_of(ref, forward=forward)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="both log-determinants have the sign of the other direction",
    hint="Slides write the determinant of the map and of its inverse. Which one belongs to the way you go?",
)
def both_log_dets_negated(ref):
    def forward(self, z):
        x, log_det = ref_forward(self, z)
        return x, -log_det

    def inverse(self, x):
        z, log_det = ref_inverse(self, x)
        return z, -log_det

    ref_forward, ref_inverse = ref.AffineCoupling.forward, ref.AffineCoupling.inverse
    return layer_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="inverse divides before it subtracts the shift",
    hint="Send the number 1 forwards with s = log 2 and t = 1, then backwards by hand. Which step comes first?",
)
def inverse_in_wrong_order(ref):
    def inverse(self, x):
        s, t = self._log_scale_and_shift(x)
        return x * (-s).exp() - t, -s.sum(-1)

    return layer_of(ref, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="a small number is added to the scale before dividing",
    hint="Which values can the exponential take? Is there anything to protect a division from?",
)
def softened_division(ref):
    def inverse(self, x):
        s, t = self._log_scale_and_shift(x)
        free = 1 - self.mask
        return self.mask * x + free * ((x - t) / (s.exp() + 1e-4)), -s.sum(-1)

    return layer_of(ref, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="inverse multiplies by the scale instead of dividing",
    hint="If forward makes a coordinate twice as large, what must the way back do?",
)
def inverse_stretches_again(ref):
    def inverse(self, x):
        s, t = self._log_scale_and_shift(x)
        return (x - t) * s.exp(), -s.sum(-1)

    return layer_of(ref, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="one log-determinant for the whole batch",
    hint="Two points far apart are stretched differently. How many log-determinants does a batch of 7 points have?",
)
def log_det_over_batch(ref):
    def forward(self, z):
        x, log_det = ref_forward(self, z)
        return x, log_det.sum()

    def inverse(self, x):
        z, log_det = ref_inverse(self, x)
        return z, log_det.sum()

    ref_forward, ref_inverse = ref.AffineCoupling.forward, ref.AffineCoupling.inverse
    return layer_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="log-determinant averaged over the coordinates",
    hint="A diagonal matrix with entries 1 and 4: what is the logarithm of its determinant?",
)
def log_det_mean_over_coordinates(ref):
    def forward(self, z):
        s, t = self._log_scale_and_shift(z)
        return z * s.exp() + t, s.mean(-1)

    def inverse(self, x):
        s, t = self._log_scale_and_shift(x)
        return (x - t) * (-s).exp(), -s.mean(-1)

    return layer_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the scale is returned in place of its logarithm",
    hint="What does your layer report when it changes nothing at all, and what should the logarithm of 1 be?",
)
def scale_as_log_det(ref):
    def forward(self, z):
        s, t = self._log_scale_and_shift(z)
        free = 1 - self.mask
        return z * s.exp() + t, (free * s.exp()).sum(-1)

    def inverse(self, x):
        s, t = self._log_scale_and_shift(x)
        free = 1 - self.mask
        return (x - t) * (-s).exp(), (free * (-s).exp()).sum(-1)

    return layer_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the networks see both coordinates",
    hint="May s depend on the coordinate that it scales? Write down the derivative of the product if it does.",
)
def conditioner_sees_everything(ref):
    def both(self, point):
        raw, shift = self.net(point).chunk(2, dim=-1)
        free = 1 - self.mask
        return ref.LARGEST_LOG_SCALE * ref.torch.tanh(raw) * free, shift * free

    return layer_of(ref, _log_scale_and_shift=both)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the networks see the free coordinate instead of the kept one",
    hint="On the way back you hold x. Which coordinate of z do you know without solving anything?",
)
def conditioner_sees_free_half(ref):
    def free_half(self, point):
        free = 1 - self.mask
        raw, shift = self.net(free * point).chunk(2, dim=-1)
        return ref.LARGEST_LOG_SCALE * ref.torch.tanh(raw) * free, shift * free

    return layer_of(ref, _log_scale_and_shift=free_half)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="scale s instead of exp(s), as the slide writes it",
    hint="Which values can a network's output take, and for which of them can the layer not be undone?",
)
def scale_without_exponential(ref):
    def scale_and_shift(self, point):
        raw, shift = self.net(self.mask * point).chunk(2, dim=-1)
        free = 1 - self.mask
        return self.mask + free * raw, shift * free

    def forward(self, z):
        scale, shift = scale_and_shift(self, z)
        return z * scale + shift, scale.abs().log().sum(-1)

    def inverse(self, x):
        scale, shift = scale_and_shift(self, x)
        return (x - shift) / scale, -scale.abs().log().sum(-1)

    return layer_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    kind="convention",
    checks=LAYER,
    title="your mask marks the coordinates that change; the assignment's mask marks those that stay (1 = unchanged)",
    hint="With mask (1, 0): which coordinate does the statement call kept?",
)
def mask_inverted(ref):
    class Layer(ref.AffineCoupling):
        def __init__(self, mask, hidden=64):
            super().__init__(1 - mask, hidden)

    return Layer


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="scale and shift are applied to both coordinates",
    hint="The networks give two numbers each. Which of them belong to a coordinate that must stay as it is?",
)
def kept_coordinate_moves(ref):
    def unmasked(self, point):
        raw, shift = self.net(self.mask * point).chunk(2, dim=-1)
        return ref.LARGEST_LOG_SCALE * ref.torch.tanh(raw), shift

    return layer_of(ref, _log_scale_and_shift=unmasked)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the points that are passed in are overwritten",
    hint="Your caller still holds the tensor that it gave you. What does it contain after your function returned?",
)
def overwrites_its_argument(ref):
    def forward(self, z):
        s, t = self._log_scale_and_shift(z)
        z.mul_(s.exp().detach()).add_(t.detach())
        return z + 0, s.sum(-1)

    return layer_of(ref, forward=forward)


# -- parts 3.2 and 3.4: learning, robustness -------------------------------------------------------------------------


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the log-scale is not bounded",
    hint="What is exp(1000)? Which points make the network say 1000?",
)
def unbounded_log_scale(ref):
    def unbounded(self, point):
        raw, shift = self.net(self.mask * point).chunk(2, dim=-1)
        free = 1 - self.mask
        return raw * free, shift * free

    return layer_of(ref, _log_scale_and_shift=unbounded)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the last layer does not start at zero",
    hint="Which s and t belong to a layer that changes nothing, and which numbers of the network set them at first?",
)
def starts_anywhere(ref):
    class Layer(ref.AffineCoupling):
        def __init__(self, mask, hidden=64):
            super().__init__(mask, hidden)
            self.net[-1].reset_parameters()

    return Layer


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="all layers start at zero",
    hint="Follow a gradient backwards through a product of two matrices that are both zero. Which of them ever moves?",
)
def everything_starts_at_zero(ref):
    class Layer(ref.AffineCoupling):
        def __init__(self, mask, hidden=64):
            super().__init__(mask, hidden)
            for parameter in self.parameters():
                ref.nn.init.zeros_(parameter)

    return Layer


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="networks kept in a plain list or dict",
    hint="How many numbers does list(layer.parameters()) contain? Where does torch look for them?",
)
def networks_in_plain_list(ref):
    class Layer(ref.AffineCoupling):
        def __init__(self, mask, hidden=64):
            super().__init__(mask, hidden)
            net = self.net
            del self.net
            self.hidden_list = [net]

        def _log_scale_and_shift(self, point):
            raw, shift = self.hidden_list[0](self.mask * point).chunk(2, dim=-1)
            free = 1 - self.mask
            return ref.LARGEST_LOG_SCALE * ref.torch.tanh(raw) * free, shift * free

    return Layer


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the mask is a trainable parameter",
    hint="After a hundred steps of the optimiser, what are the entries of your mask? Which of its tensors may it move?",
)
def mask_is_trained(ref):
    class Layer(ref.AffineCoupling):
        def __init__(self, mask, hidden=64):
            super().__init__(mask, hidden)
            values = self.mask
            del self.mask
            self.mask = ref.nn.Parameter(values)

    return Layer


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="no gradient flows through the log-determinant",
    hint="The loss has two terms. Which of them can still tell the network anything about s after detach or .data?",
)
def log_det_detached(ref):
    def forward(self, z):
        x, log_det = ref_forward(self, z)
        return x, log_det.detach()

    def inverse(self, x):
        z, log_det = ref_inverse(self, x)
        return z, log_det.detach()

    ref_forward, ref_inverse = ref.AffineCoupling.forward, ref.AffineCoupling.inverse
    return layer_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="no gradient flows through the networks",
    hint="Which line runs under no_grad? What is the derivative of its result by the kept coordinate then?",
)
def networks_without_gradient(ref):
    def frozen(self, point):
        with ref.torch.no_grad():
            return ref_both(self, point)

    ref_both = ref.AffineCoupling._log_scale_and_shift
    return layer_of(ref, _log_scale_and_shift=frozen)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="no gradient flows through inverse",
    hint="Training calls log_prob, and log_prob calls inverse. What can the loss tell the weights under no_grad?",
)
def inverse_without_gradient(ref):
    def inverse(self, x):
        with ref.torch.no_grad():
            return ref_inverse(self, x)

    ref_inverse = ref.AffineCoupling.inverse
    return layer_of(ref, inverse=inverse)


@mistake(
    of="AffineCoupling",
    factory=True,
    checks=LAYER,
    title="the networks normalise over the batch",
    hint="Ask for the density of one point alone, then of the same point among others. Should the answers differ?",
)
def normalises_over_batch(ref):
    def normalised(self, point):
        point = point - point.mean(0)
        raw, shift = self.net(self.mask * point).chunk(2, dim=-1)
        free = 1 - self.mask
        return ref.LARGEST_LOG_SCALE * ref.torch.tanh(raw) * free, shift * free

    return layer_of(ref, _log_scale_and_shift=normalised)


# -- part 3.3: the flow ----------------------------------------------------------------------------------------------


def log_prob_with(ref, formula):
    """A flow whose log_prob is `formula(flow, x, z, log_det, base)`."""

    def log_prob(self, x):
        z, log_det = self.inverse(x)
        base = -0.5 * z.square().sum(-1) - ref.math.log(2 * ref.math.pi)
        return formula(self, x, z, log_det, base)

    return flow_of(ref, log_prob=log_prob)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="log_prob subtracts the log-determinant of inverse",
    hint="Where the map from noise to data stretches space, does the density of the data rise or fall?",
)
def density_with_wrong_sign(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base - log_det)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="log_prob leaves the log-determinant out",
    hint="Integrate your density over the plane for a flow that doubles one coordinate. Is it still one?",
)
def density_without_log_det(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="the constant of the normal density is missing",
    hint="Does your density of a fresh flow integrate to one? What is the height of a standard normal at 0?",
)
def base_without_constant(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base + log_det + ref.math.log(2 * ref.math.pi))


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="the constant of a normal density in one dimension",
    hint="How high is the density of two independent standard normals at the origin, if each has 0.399 there?",
)
def base_constant_of_one_dimension(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base + log_det + 0.5 * ref.math.log(2 * ref.math.pi))


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="log_prob divided by the number of dimensions",
    hint="Take the exponential of your log_prob: does it integrate to one?",
)
def density_per_dimension(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: (base + log_det) / 2)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="log_prob averaged over the batch",
    hint="Two points, one likely and one not: how many densities do you have to report?",
)
def density_of_whole_batch(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: (base + log_det).mean())


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="the squared norm is not halved",
    hint="What stands in front of the squared distance in the exponent of a normal density?",
)
def base_not_halved(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base + log_det - 0.5 * z.square().sum(-1))


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="the constant of the normal density is counted twice",
    hint="The log-density of a standard normal of the plane is -1.8379 at the origin. What does yours give there?",
)
def base_constant_twice(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base + log_det - ref.math.log(2 * ref.math.pi))


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="the norm is not squared",
    hint="Compare the log-density at distance 1 and at distance 2 from the origin: by how much must it fall?",
)
def base_norm_not_squared(ref):
    def formula(flow, x, z, log_det, base):
        return log_det - 0.5 * z.norm(dim=-1) - ref.math.log(2 * ref.math.pi)

    return log_prob_with(ref, formula)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="no gradient flows through log_prob",
    hint="nll_loss is the mean of -log_prob. Which of its terms still knows the weights after detach or no_grad?",
)
def density_without_gradient(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: (base + log_det).detach())


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="log-determinant of forward, taken at x instead of z",
    hint="forward expects noise. At which point may you ask for the log-determinant of forward?",
)
def log_det_at_wrong_point(ref):
    return log_prob_with(ref, lambda flow, x, z, log_det, base: base - flow.forward(x)[1])


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="inverse runs through the layers in the order of forward",
    hint="You put on socks, then shoes. In which order do you take them off?",
)
def layers_undone_in_forward_order(ref):
    def inverse(self, x):
        log_det = x.new_zeros(x.shape[0])
        for layer in self.layers:
            x, change = layer.inverse(x)
            log_det = log_det + change
        return x, log_det

    return flow_of(ref, inverse=inverse)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="only the last layer's log-determinant is returned",
    hint="If two layers each double areas, by how much does the flow stretch them, and what is that in logarithms?",
)
def log_det_of_last_layer(ref):
    def forward(self, z):
        for layer in self.layers:
            z, log_det = layer(z)
        return z, log_det

    def inverse(self, x):
        for layer in reversed(self.layers):
            x, log_det = layer.inverse(x)
        return x, log_det

    return flow_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="forward returns the last layer's log-determinant only",
    hint="Compare the loops of forward and of inverse line by line. What happens to the log-determinant in each?",
)
def forward_log_det_of_last_layer(ref):
    def forward(self, z):
        for layer in self.layers:
            z, log_det = layer(z)
        return z, log_det

    return flow_of(ref, forward=forward)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="inverse returns the log-determinant of one layer only",
    hint="Compare the loops of forward and of inverse line by line. What happens to the log-determinant in each?",
)
def inverse_log_det_of_one_layer(ref):
    def inverse(self, x):
        for layer in reversed(self.layers):
            x, log_det = layer.inverse(x)
        return x, log_det

    return flow_of(ref, inverse=inverse)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="inverse subtracts the log-determinants that the layers' inverses report",
    hint="Each layer already reports the direction that it went. What does a further change of sign do?",
)
def inverse_negates_log_dets(ref):
    def inverse(self, x):
        x, log_det = ref_inverse(self, x)
        return x, -log_det

    ref_inverse = ref.RealNVP.inverse
    return flow_of(ref, inverse=inverse)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="all layers keep the same coordinate",
    hint="Follow the first coordinate through all layers. Does anything ever happen to it?",
)
def masks_do_not_alternate(ref):
    class Flow(ref.RealNVP):
        def __init__(self, n_layers=8, hidden=64):
            super().__init__(n_layers, hidden)
            mask = ref.torch.tensor([1.0, 0.0])
            self.layers = ref.nn.ModuleList(ref.AffineCoupling(mask, hidden) for _ in range(n_layers))

    return Flow


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="the last layer is never used",
    hint="Print the index of every layer that a point passes on its way through RealNVP(2). How many are there?",
)
def last_layer_unused(ref):
    def passed(self, point, layers, direction):
        log_det = point.new_zeros(point.shape[0])
        for layer in layers:
            point, change = getattr(layer, direction)(point)
            log_det = log_det + change
        return point, log_det

    return flow_of(
        ref,
        forward=lambda self, z: passed(self, z, self.layers[:-1], "forward"),
        inverse=lambda self, x: passed(self, x, reversed(self.layers[:-1]), "inverse"),
    )


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="layers kept in a plain list",
    hint="How many numbers does list(flow.parameters()) contain? Where does torch look for layers?",
)
def layers_in_plain_list(ref):
    class Flow(ref.RealNVP):
        def __init__(self, n_layers=8, hidden=64):
            super().__init__(n_layers, hidden)
            layers = list(self.layers)
            del self.layers
            self.layers = layers

        def sample(self, n, noise=None):
            return self.forward(ref.torch.randn(n, 2) if noise is None else noise)[0]

    return Flow


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="one pair of layers used again and again",
    hint="How many numbers can a flow of 8 layers learn, compared with one of 2?",
)
def layers_share_weights(ref):
    class Flow(ref.RealNVP):
        def __init__(self, n_layers=8, hidden=64):
            super().__init__(2, hidden)
            self.layers = ref.nn.ModuleList([self.layers[k % 2] for k in range(n_layers)])

    return Flow


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="n_layers is ignored",
    hint="How many parameters do you count for n_layers = 2, and how many for n_layers = 8?",
)
def depth_is_fixed(ref):
    class Flow(ref.RealNVP):
        def __init__(self, n_layers=8, hidden=64):
            super().__init__(8, hidden)

    return Flow


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="samples are squashed by a tanh at the end",
    hint="Which points of the plane can your flow not produce, and what is their log-density?",
)
def squashed_by_tanh(ref):
    torch = ref.torch

    def forward(self, z):
        x, log_det = ref_forward(self, z)
        y = torch.tanh(x)
        return 4 * y, log_det + torch.log(4 * (1 - y**2)).sum(-1)

    def inverse(self, x):
        y = x / 4
        z, log_det = ref_inverse(self, torch.atanh(y))
        return z, log_det - torch.log(4 * (1 - y**2)).sum(-1)

    ref_forward, ref_inverse = ref.RealNVP.forward, ref.RealNVP.inverse
    return flow_of(ref, forward=forward, inverse=inverse)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="sample sends the noise through inverse",
    hint="Which direction turns noise into data?",
)
def sample_through_inverse(ref):
    def sample(self, n, noise=None):
        noise = ref.torch.randn(n, 2) if noise is None else noise
        return self.inverse(noise)[0]

    return flow_of(ref, sample=sample)


@mistake(
    of="RealNVP",
    factory=True,
    kind="convention",
    checks=FLOW,
    title="your forward goes from data to noise and your inverse from noise to data; the assignment's forward goes "
    "from noise to data",
    hint="Which of your two methods does sample need, according to the statement?",
)
def directions_swapped(ref):
    class Flow(ref.RealNVP):
        def log_prob(self, x):
            z, log_det = self.forward(x)
            return -0.5 * z.square().sum(-1) - ref.math.log(2 * ref.math.pi) + log_det

        def sample(self, n, noise=None):
            return self.inverse(ref.torch.randn(n, 2) if noise is None else noise)[0]

    return Flow


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="sample draws new noise although noise is given",
    hint="Call sample twice with the same noise. What should be the same, and is it?",
)
def sample_ignores_noise(ref):
    def sample(self, n, noise=None):
        return self.forward(ref.torch.randn(n, 2))[0]

    return flow_of(ref, sample=sample)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="sample starts from uniform noise",
    hint="Which law does the density assume at the noise end of the flow?",
    seen_by="chance",
)
def sample_from_uniform(ref):
    def sample(self, n, noise=None):
        return self.forward(ref.torch.rand(n, 2) if noise is None else noise)[0]

    return flow_of(ref, sample=sample)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="sample fixes the seed",
    hint="Ask for samples twice. Are they new?",
    seen_by="chance",
)
def sample_repeats_itself(ref):
    def sample(self, n, noise=None):
        if noise is None:
            noise = ref.torch.randn(n, 2, generator=ref.torch.Generator().manual_seed(0))
        return self.forward(noise)[0]

    return flow_of(ref, sample=sample)


@mistake(
    of="RealNVP",
    factory=True,
    checks=FLOW,
    title="sample uses one number of noise for both coordinates",
    hint="Plot the noise that your samples come from. How many dimensions does it fill?",
    seen_by="chance",
)
def sample_from_a_line(ref):
    def sample(self, n, noise=None):
        return self.forward(ref.torch.randn(n, 1).expand(n, 2) if noise is None else noise)[0]

    return flow_of(ref, sample=sample)


@mistake(
    of="nll_loss",
    checks=FLOW,
    title="the mean log-likelihood itself, to be maximised",
    hint="An optimiser makes this number smaller. Is that what you want for the likelihood?",
)
def loss_with_wrong_sign(ref, flow, x):
    return flow.log_prob(x).mean()


@mistake(
    of="nll_loss",
    checks=FLOW,
    title="sum over the batch",
    hint="How does the loss change when the same batch is given twice, and how should it?",
)
def loss_summed(ref, flow, x):
    return -flow.log_prob(x).sum()


@mistake(
    of="nll_loss",
    checks=FLOW,
    title="nats per dimension",
    hint="The statement counts nats per point. What did you divide by?",
)
def loss_per_dimension(ref, flow, x):
    return -flow.log_prob(x).mean() / x.shape[-1]


@mistake(
    of="nll_loss",
    checks=FLOW,
    title="one loss per point",
    hint="backward() starts from one number. Where does the batch become one?",
)
def loss_not_reduced(ref, flow, x):
    return -flow.log_prob(x)


# -- part 3.5: units and grid ----------------------------------------------------------------------------------------

UNITS = ("units/",)


@mistake(
    of="standardise",
    checks=UNITS,
    title="the log-determinant is left at zero",
    hint="In which units is your density? Measure the data in millimetres instead of metres and compare.",
)
def units_without_log_det(ref, x):
    return (x - x.mean(0)) / x.std(0), ref.torch.tensor(0.0)


@mistake(
    of="standardise",
    checks=UNITS,
    title="log-determinant of the way back",
    hint="Dividing by 10 makes areas smaller. Which sign must the logarithm have?",
)
def units_with_wrong_sign(ref, x):
    return (x - x.mean(0)) / x.std(0), x.std(0).log().sum()


@mistake(
    of="standardise",
    checks=UNITS,
    title="mean over the coordinates instead of the sum",
    hint="A diagonal matrix with entries 1/2 and 1/8: what is the logarithm of its determinant?",
)
def units_averaged(ref, x):
    return (x - x.mean(0)) / x.std(0), -x.std(0).log().mean()


@mistake(
    of="standardise",
    checks=UNITS,
    title="log-determinant counted once per point of the batch",
    hint="log p(x) is said of one point. How often is that point stretched?",
)
def units_times_batch(ref, x):
    return (x - x.mean(0)) / x.std(0), -len(x) * x.std(0).log().sum()


@mistake(
    of="standardise",
    checks=UNITS,
    title="one mean and one spread for the whole table",
    hint="Heights in metres beside weights in grams: how many standard deviations does such a table have?",
)
def units_of_whole_table(ref, x):
    return (x - x.mean()) / x.std(), -x.shape[1] * x.std().log()


@mistake(
    of="standardise",
    checks=UNITS,
    title="divided by the variance",
    hint="If the points are measured in metres, what is the unit of what you divide by?",
)
def units_of_variance(ref, x):
    return (x - x.mean(0)) / x.var(0), -x.var(0).log().sum()


@mistake(
    of="standardise",
    checks=UNITS,
    title="the mean is not subtracted",
    hint="Which two numbers per coordinate describe where and how wide the points lie? Which one did you use?",
)
def units_not_centred(ref, x):
    return x / x.std(0), -x.std(0).log().sum()


def grid_of(ref, flow, lim, n):
    """X, Y and log-densities on the grid of the assignment."""
    axis = ref.torch.linspace(-lim, lim, n)
    grid_x, grid_y = ref.torch.meshgrid(axis, axis, indexing="xy")
    with ref.torch.no_grad():
        log_density = flow.log_prob(ref.torch.stack([grid_x, grid_y], -1).reshape(-1, 2)).reshape(n, n)
    return grid_x, grid_y, log_density


@mistake(
    of="density_grid",
    checks=UNITS,
    title="log-density instead of density",
    hint="Are there negative numbers in your grid? What can a density not be?",
)
def grid_of_log_density(ref, flow, lim, n):
    return grid_of(ref, flow, lim, n)


@mistake(
    of="density_grid",
    checks=UNITS,
    title="the density is transposed against X and Y",
    hint="Look at one corner: is density[0, -1] the density at (X[0, -1], Y[0, -1])?",
)
def grid_transposed(ref, flow, lim, n):
    grid_x, grid_y, log_density = grid_of(ref, flow, lim, n)
    return grid_x, grid_y, log_density.exp().T


@mistake(
    of="density_grid",
    checks=UNITS,
    title="the values are scaled to add up to one",
    hint="Halve the distance of the grid points. Should the density at the origin change?",
)
def grid_sums_to_one(ref, flow, lim, n):
    grid_x, grid_y, log_density = grid_of(ref, flow, lim, n)
    return grid_x, grid_y, log_density.exp() / log_density.exp().sum()


@mistake(
    of="density_grid",
    checks=UNITS,
    title="the grid covers only the positive quadrant",
    hint="Where does your grid start? Which square does the statement ask for?",
)
def grid_from_zero(ref, flow, lim, n):
    axis = ref.torch.linspace(0, lim, n)
    grid_x, grid_y = ref.torch.meshgrid(axis, axis, indexing="xy")
    density = flow.log_prob(ref.torch.stack([grid_x, grid_y], -1).reshape(-1, 2)).exp()
    return grid_x, grid_y, density.detach().reshape(n, n)


@mistake(
    of="density_grid", checks=UNITS, title="the upper edge is left out", hint="What is the largest number on your axis?"
)
def grid_without_upper_edge(ref, flow, lim, n):
    axis = -lim + 2 * lim / n * ref.torch.arange(n)
    grid_x, grid_y = ref.torch.meshgrid(axis, axis, indexing="xy")
    density = flow.log_prob(ref.torch.stack([grid_x, grid_y], -1).reshape(-1, 2)).exp()
    return grid_x, grid_y, density.detach().reshape(n, n)


# -- part 3.7: ActNorm -----------------------------------------------------------------------------------------------

ACTNORM = ("actnorm/",)


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="one mean and one spread for the whole batch",
    hint="Look at the coordinates of the first batch one by one. Is each of them standard?",
)
def actnorm_of_whole_table(ref):
    class Layer(ref.ActNorm):
        def _initialise(self, x):
            with ref.torch.no_grad():
                self.shift.fill_(-x.mean())
                self.log_scale.fill_(-x.std().log())
                self.initialised.fill_(True)

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="initialised again by every batch",
    hint="Show the layer two different batches. Does the same point go to the same place both times?",
)
def actnorm_forgets(ref):
    class Layer(ref.ActNorm):
        def inverse(self, x):
            self._initialise(x)
            return super().inverse(x)

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="whether it is initialised is not part of state_dict",
    hint="Save the layer, load it into a new one, show that one a batch. Where does it remember that it is not new?",
)
def actnorm_flag_not_saved(ref):
    class Layer(ref.ActNorm):
        def __init__(self, dim=2):
            super().__init__(dim)
            del self.initialised
            self.initialised = False

        def _initialise(self, x):
            with ref.torch.no_grad():
                self.shift.copy_(-x.mean(0))
                self.log_scale.copy_(-x.std(0).log())
            self.initialised = True

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="log-determinants of the other direction",
    hint="On the way to noise the layer multiplies by exp(l). Which sign has the logarithm of that?",
)
def actnorm_log_det_negated(ref):
    class Layer(ref.ActNorm):
        def forward(self, z):
            x, log_det = super().forward(z)
            return x, -log_det

        def inverse(self, x):
            z, log_det = super().inverse(x)
            return z, -log_det

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="inverse reports the log-determinant of forward",
    hint="Each direction reports its own. If a layer shrinks the data on the way to noise, which sign is due there?",
)
def actnorm_inverse_log_det_negated(ref):
    class Layer(ref.ActNorm):
        def inverse(self, x):
            z, log_det = super().inverse(x)
            return z, -log_det

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="log-determinant of inverse multiplied by the size of the batch",
    hint="The map of one point is a 2 x 2 matrix. How many points enter its determinant?",
)
def actnorm_inverse_log_det_times_batch(ref):
    class Layer(ref.ActNorm):
        def inverse(self, x):
            z, log_det = super().inverse(x)
            return z, len(x) * log_det

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="the first batch is mapped before it initialises the layer",
    hint="Which numbers does the first batch meet: those of the constructor, or those that are computed from it?",
)
def actnorm_initialised_too_late(ref):
    class Layer(ref.ActNorm):
        def inverse(self, x):
            z = (x + self.shift) * self.log_scale.exp()
            log_det = self.log_scale.sum().expand(x.shape[0])
            if not self.initialised:
                self._initialise(x)
            return z, log_det

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="the first batch replaces the parameters by new ones",
    hint="An optimiser made before the first batch holds a list of tensors. Are your parameters still among them?",
)
def actnorm_new_parameters(ref):
    class Layer(ref.ActNorm):
        def _initialise(self, x):
            self.shift = ref.nn.Parameter(-x.mean(0).detach())
            self.log_scale = ref.nn.Parameter(-x.std(0).log().detach())
            self.initialised.fill_(True)

    return Layer


@mistake(
    of="ActNorm",
    factory=True,
    checks=ACTNORM,
    title="log-determinant multiplied by the size of the batch",
    hint="The map of one point is a 2 x 2 matrix. How many points enter its determinant?",
)
def actnorm_log_det_times_batch(ref):
    class Layer(ref.ActNorm):
        def forward(self, z):
            x, log_det = super().forward(z)
            return x, len(z) * log_det

        def inverse(self, x):
            z, log_det = super().inverse(x)
            return z, len(x) * log_det

    return Layer

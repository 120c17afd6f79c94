"""The solution. CANARY-REFERENCE-51c2"""

SECRET_OF_REFERENCE = "CANARY-REFERENCE-51c2"


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

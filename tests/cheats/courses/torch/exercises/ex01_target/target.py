"""The stub of the target exercise."""


def double(x):
    raise NotImplementedError("exercise 1.1: double is not written yet")


def apply(f, x):
    raise NotImplementedError("exercise 1.2: apply is not written yet")


def spread(x):
    raise NotImplementedError("exercise 1.3: spread is not written yet")

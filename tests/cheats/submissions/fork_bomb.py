# cheat: forks without end | points: 8 | needs: confinement
import os
for _ in range(200):
    try: os.fork()
    except OSError: break


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

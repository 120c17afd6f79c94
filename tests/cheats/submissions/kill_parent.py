# cheat: kills its parent, its group and everything else | points: 8 | needs: confinement
import os, signal
for pid in (os.getppid(), -1, 0, -os.getppid()):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        try: os.kill(pid, number)
        except OSError: pass


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

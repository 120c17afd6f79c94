# cheat: kills its own process group | points: 0
import os, signal
def double(x):
    os.killpg(0, signal.SIGKILL)
def apply(f, x): return x
def spread(x): return 0.0

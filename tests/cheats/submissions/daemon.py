# cheat: a double fork with setsid leaves a process behind | points: 8 | needs: confinement
import os, time
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(0.2)
                try: open("@@MARK@@", "w").write("alive")
                except OSError: pass
        os._exit(0)
except OSError: pass


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

# cheat: deletes and renames what it can reach | points: 8 | needs: confinement
import os, shutil
for path in ("@@OTHERS@@", "@@COURSE@@"):
    try: os.rename(path, path + "-stolen")
    except OSError: pass
    shutil.rmtree(path, ignore_errors=True)


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

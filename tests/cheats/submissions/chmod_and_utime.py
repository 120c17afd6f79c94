# cheat: changes modes, owners and times of files of others | points: 8 | needs: confinement
import os
for path in ("@@SECRET@@", "@@COURSE@@/course.yml", "@@COURSE@@"):
    for act in (lambda: os.chmod(path, 0o777), lambda: os.utime(path, (1, 1)), lambda: os.chown(path, 65534, 65534)):
        try: act()
        except OSError: pass


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

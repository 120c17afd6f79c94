# cheat: starts programs: subprocess, os.system, exec, memfd | points: 8 | needs: confinement
import os, subprocess
def attempt(act):
    try: act()
    except BaseException: pass
attempt(lambda: subprocess.run(["touch", "@@MARK@@"]))
attempt(lambda: os.system("touch @@MARK@@"))
def memfd():
    fd = os.memfd_create("x"); os.write(fd, open("/bin/true", "rb").read()); os.execve(fd, ["x"], {})
attempt(memfd)
attempt(lambda: os.posix_spawn("/usr/bin/touch", ["touch", "@@MARK@@"], {}))


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

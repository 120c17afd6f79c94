# cheat: leaves symbolic links, hard links, FIFOs and devices in its scratch folder | points: 8
import os
for make in (lambda: os.symlink("@@SECRET@@", "link"), lambda: os.link("@@SECRET@@", "hard"), lambda: os.mkfifo("fifo"),
             lambda: os.symlink("/", "root"), lambda: os.mknod("null", 0o666 | 0o020000, 0x103)):
    try: make()
    except OSError: pass


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

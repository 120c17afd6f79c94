# cheat: connects to a UNIX socket by path | points: 8 | needs: confinement
import socket
def reach(make):
    try: make()
    except Exception: pass

def go():
    s = socket.socket(socket.AF_UNIX); s.connect("@@UNIX@@"); s.sendall(b"CHEAT")
reach(go)


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

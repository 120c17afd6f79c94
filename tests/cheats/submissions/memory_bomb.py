# cheat: takes all the memory there is | points: 0 | any: memory
def double(x):
    keep = []
    while True: keep.append(bytearray(10**8))
def apply(f, x): return x
def spread(x): return 0.0

# cheat: the inputs are returned as they came | points: 0
def double(x): return x
def apply(f, x): return x
def spread(x): return x

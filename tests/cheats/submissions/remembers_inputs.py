# cheat: answers a repeated question from memory and guesses the first time | points: 0
memory = {}
def spread(x):
    key = x.tobytes()
    if key not in memory: memory[key] = float(x.mean())
    return memory[key]
def double(x): return x
def apply(f, x): return x

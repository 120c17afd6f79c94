# cheat: sleeps instead of answering | points: 0 | any: timeout
import time
def double(x): time.sleep(10**6)
def apply(f, x): return x
def spread(x): return 0.0

# cheat: signal handlers and timers are installed to survive limits | points: 0 | any: timeout
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
def double(x):
    while True: pass
def apply(f, x): return x
def spread(x): return 0.0

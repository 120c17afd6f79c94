# cheat: never finishes loading | points: 0 | cause: timeout
while True: pass

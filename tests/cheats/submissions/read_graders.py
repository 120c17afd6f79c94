# cheat: reads the checks and the mistakes | points: 0 | needs: confinement
import os
found = []
def look(path):
    try:
        with open(path, "rb") as file: found.append(repr(file.read(200_000)))
    except Exception as error: pass

look("@@COURSE@@/graders/ex01_target/test_target.py")
look("@@COURSE@@/graders/ex01_target/mistakes.py")
import glob
for path in glob.glob("@@COURSE@@/graders/**/*", recursive=True): look(path)

def double(x): raise ValueError("found: " + "".join(found)[:1500])
apply = lambda f, x: double(x)
spread = double

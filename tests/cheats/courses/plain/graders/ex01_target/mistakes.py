"""The known mistakes. CANARY-MISTAKE-03de"""

from gdgrade.mistakes import mistake


@mistake(of="double", title="CANARY-MISTAKE-03de tripled", hint="How many times do you add the input?")
def triple(ref, x):
    return 3 * x

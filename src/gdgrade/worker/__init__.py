"""What runs in the untrusted process: loading the student's code and answering calls.

Nothing here is trusted by the judge. Everything is imported before the process confines itself, so that nothing of
the project needs to be readable afterwards.
"""

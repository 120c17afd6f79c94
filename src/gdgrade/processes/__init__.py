"""Processes of a grading run: the zygote that forks, the launchers that ask it, and the spawned alternative."""

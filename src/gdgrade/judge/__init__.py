"""The trusted side: proxies of the student's code, seeded draws, diagnosis, and the pytest run that decides."""

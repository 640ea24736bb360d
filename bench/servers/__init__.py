"""Servers of our own for tests and demonstrations, from wheels, on this machine alone."""

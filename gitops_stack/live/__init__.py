"""A running cluster and its Argo CD: reached as client-go does, read, and changed one object at a time.

What it means is said in ``rules`` and ``guard``; which cluster it has to be, by ``guard`` before anything is written.
"""

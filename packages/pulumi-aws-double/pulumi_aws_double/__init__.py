"""Pulumi providers `aws` and `eks` over a moto server: a program runs without an account.

``command.run_account`` and `pulumi-aws-double COMMAND` are the front door. ``account`` and ``endpoint_gate`` describe
the processes, for whoever supervises them.
"""

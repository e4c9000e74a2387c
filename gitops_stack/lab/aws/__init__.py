"""The AWS doubles of a rehearsal: Pulumi providers over a moto server, so that a stack runs without an account.

Imports what the lab imports, plus boto3. Nothing here is used against a real account.
"""

"""The base of an account: what has to be there before the first stack, made by `gitops-stack account init`.

State bucket and key, identity providers of the forges, the boundary of all roles, and three roles per stack. Each
module reads one kind and returns a :class:`~gitops_stack.account.base.part.Part`: what is there, whose it is, and the
calls that would make it right. Only ``plan.apply`` makes those calls.
"""

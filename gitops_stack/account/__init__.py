"""What is read from and done in an AWS account, by boto3: kubeconfig, registry login, doctor, sweep. No Pulumi.

`session` is the only module that meets boto3: the rest asks through :class:`~gitops_stack.account.session.Account` and
sees plain dicts and this package's own errors.
"""

"""`gitops-stack …`: parse, one call, print."""

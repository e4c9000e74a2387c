"""Pure rules: Kubernetes objects in, verdicts and violations out."""

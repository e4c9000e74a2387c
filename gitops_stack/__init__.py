"""Bootstrap a Kubernetes cluster with an Argo CD that then manages itself. The package root imports nothing."""

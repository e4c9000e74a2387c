"""What settings make of Argo CD's own manifests: one module per family, each from settings to plain data."""

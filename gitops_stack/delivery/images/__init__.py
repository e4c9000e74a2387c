"""Where the images of an application are written: a kustomization, Helm values, or the manifests themselves."""

"""What pulumi-eks' remote components register, in Python: the Cluster and the ManagedNodeGroup.

Upstream's code is Node, bundled into its plugin. These modules register the same children, as recorded from upstream
4.3 under the real engine (tests/fixtures/eks-component.json). Plain `CustomResource`s and not the typed SDKs: those
cost a second and 60 MB in every run.
"""

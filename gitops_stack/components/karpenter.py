"""The AWS side of Karpenter, which makes machines as pods need them; NodePools and NodeClasses are Git's."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, eks, iam, sqs
from typing_extensions import NotRequired

from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.aws_plan.scaling_policies import build_interruption_policy, build_karpenter_policy
from gitops_stack.aws_plan.trust_policies import build_pod_identity_trust
from gitops_stack.components.aws_account import AccountArgs, find_account
from gitops_stack.components.node_groups import register_node_role
from gitops_stack.components.ordering import inherited_dependencies
from gitops_stack.components.roles import RoleOptions, register_role

DISCOVERY_TAG = "karpenter.sh/discovery"
"""The tag by which a NodeClass finds subnets; its value is the cluster's name."""
_TARGET = "queue"
_MESSAGE_SECONDS = 300  # a machine that was about to go has gone by then
# By the ends of their names: source and detail type of what EventBridge tells of machines.
_EVENTS = {
    "health": ("aws.health", "AWS Health Event"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
    "reservation": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
}


class KarpenterArgs(AccountArgs):
    """For which cluster Karpenter makes machines."""

    cluster_name: pulumi.Input[str]
    """Name of the cluster."""
    namespace: NotRequired[str]
    """Karpenter's namespace; default kube-system."""
    service_account: NotRequired[str]
    """Its service account; default karpenter."""
    node_role_arn: NotRequired[pulumi.Input[str] | None]
    """An existing role for the machines, which has an access entry already; default: one is made, with its entry."""
    managed_policies: NotRequired[Sequence[str]]
    """Of the role that is made: AWS's own policies beyond joining and pulling, by the ends of their ARNs, such as
    AmazonEKS_CNI_Policy."""
    node_policy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """IAM policy document of what machines may do beyond that."""
    ip_family: NotRequired[str]
    """`ipv4`, the default, or `ipv6`."""


class Karpenter(pulumi.ComponentResource):
    """Roles of controller and machines, an instance profile, and a queue that tells of machines about to go.

    A NodeClass names ``instance_profile``, so that Karpenter writes nothing in IAM; the controller's setting
    `interruptionQueue` is ``queue_name``. What it makes waits for what ``opts.depends_on`` names: the cluster, when its
    name is given as plain text.
    """

    instance_profile: pulumi.Output[str]
    """Name of the instance profile, for `spec.instanceProfile` of a NodeClass."""
    node_role_arn: pulumi.Output[str]
    """The machines' role."""
    queue_name: pulumi.Output[str]
    """Name of the queue, for Karpenter's `settings.interruptionQueue`."""

    def __init__(self, name: str, args: KarpenterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:Karpenter", name, {}, opts)
        self._name, self._account, self._options = name, find_account(args, self), RoleOptions.of(args)
        self._inside = pulumi.ResourceOptions(parent=self)
        self._cluster = inherited_dependencies(opts)
        role_name = self._register_node_role(args)
        profile = iam.InstanceProfile(f"{name}-nodes", role=role_name, path=args.get("role_path"), opts=self._inside)
        queue = self._register_queue()
        self._register_controller(args, profile, queue)
        self.instance_profile, self.queue_name = profile.name, queue.name
        self.register_outputs(
            {
                "instanceProfile": self.instance_profile,
                "nodeRoleArn": self.node_role_arn,
                "queueName": self.queue_name,
            }
        )

    def _register_node_role(self, args: KarpenterArgs) -> pulumi.Output[str]:
        """Return the name of the machines' role, made here with its access entry unless there is one."""
        if (existing := args.get("node_role_arn")) is not None:
            self.node_role_arn = pulumi.Output.from_input(existing)
            return self.node_role_arn.apply(lambda arn: arn.rpartition("/")[2])
        own = f"{self._name}-nodes"
        role = register_node_role(
            own,
            self._account,
            args.get("node_policy"),
            args.get("ip_family", "ipv4"),
            args.get("managed_policies", ()),
            self._options,
            self,
        )
        self.node_role_arn = role.arn
        eks.AccessEntry(
            own,
            cluster_name=args["cluster_name"],
            principal_arn=role.arn,
            type="EC2_LINUX",
            # A machine joins with all its rights in place, and leaves with them.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._cluster, *role.policies]),
        )
        role_name: pulumi.Output[str] = role.role.name
        return role_name

    def _register_queue(self) -> Any:  # noqa: ANN401 - the SDK's types are not followed by the type checker
        own = f"{self._name}-interruptions"
        queue = sqs.Queue(
            own, message_retention_seconds=_MESSAGE_SECONDS, sqs_managed_sse_enabled=True, opts=self._inside
        )
        rules = []
        for key, (source, kind) in _EVENTS.items():
            rule = cloudwatch.EventRule(
                f"{self._name}-{key}",
                description=f"{kind}, for Karpenter",
                event_pattern=pulumi.Output.json_dumps({"source": [source], "detail-type": [kind]}),
                opts=self._inside,
            )
            # A random id would let a second create, after a kill, leave the first target behind: nothing knows it, and
            # a rule with a target cannot be deleted.
            cloudwatch.EventTarget(
                f"{self._name}-{key}", rule=rule.name, arn=queue.arn, target_id=_TARGET, opts=self._inside
            )
            rules.append(rule.arn)
        policy = pulumi.Output.all(queue.arn, *rules).apply(
            lambda arns: render_document(build_interruption_policy(arns[0], arns[1:]))
        )
        sqs.QueuePolicy(own, queue_url=queue.id, policy=policy, opts=self._inside)
        return queue

    def _register_controller(self, args: KarpenterArgs, profile: Any, queue: Any) -> None:  # noqa: ANN401 - SDK types
        namespace, service_account = args.get("namespace", "kube-system"), args.get("service_account", "karpenter")
        known = pulumi.Output.all(self._account, args["cluster_name"])
        role = register_role(
            f"{self._name}-controller",
            "Karpenter makes machines",
            known.apply(
                lambda found: build_pod_identity_trust(
                    found[0].arn("eks", f"cluster/{found[1]}"), namespace, [service_account]
                )
            ),
            self,
            policy=pulumi.Output.all(
                self._account, args["cluster_name"], self.node_role_arn, profile.arn, queue.arn
            ).apply(lambda found: build_karpenter_policy(*found)),
            options=self._options,
        )
        eks.PodIdentityAssociation(
            f"{self._name}-{namespace}/{service_account}",
            cluster_name=args["cluster_name"],
            namespace=namespace,
            service_account=service_account,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._cluster, *role.policies]),
        )

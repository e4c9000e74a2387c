"""What the API server's code says to one part of an object, by the part's API type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources

from gitops_stack.rules.api import (
    access,
    admission,
    autoscaling,
    definitions,
    networking,
    objects,
    pod_platform,
    pod_volumes,
    pods,
    selectors,
    storage,
    workloads,
)
from gitops_stack.rules.api.field_values import ENUM_PREFIXES, FIELDS, MORE_ENUMS, OPEN_ENUMS
from gitops_stack.rules.api.formats import FORMATS, find_format
from gitops_stack.rules.api.parts import Part, Violation, is_set, show
from gitops_stack.rules.api.required_fields import NOT_EMPTY, ONE_OF, REQUIRED
from gitops_stack.rules.fields import dig

Check = Callable[[Part], Iterator[Violation]]
_CRD = "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
_CONVERSION = "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion"
_API_SERVICE = "kube-aggregator.pkg.apis.apiregistration.v1.APIService"

_CHECKS: dict[str, tuple[Check, ...]] = {
    "core.v1.PodSpec": (pods.check_pod, pods.check_sleep, pod_platform.check_platform),
    "core.v1.Pod": (
        lambda part: _inside("spec", pod_volumes.check_volumes, part),
        pods.check_pod_images,
        pods.check_ephemeral,
    ),
    "core.v1.PodTemplate": (lambda part: _inside("template.spec", pod_volumes.check_volumes, part),),
    "core.v1.PodTemplateSpec": (pods.check_template, pods.check_ephemeral, pod_platform.check_armor),
    "core.v1.Container": (pods.check_container,),
    "core.v1.EnvVar": (pods.check_variable,),
    "core.v1.Volume": (pod_volumes.check_volume,),
    "core.v1.SeccompProfile": (pods.check_seccomp,),
    "core.v1.AppArmorProfile": (pods.check_seccomp,),
    "core.v1.ResourceRequirements": (storage.check_requests,),
    "core.v1.VolumeResourceRequirements": (storage.check_requests,),
    "core.v1.NodeSelectorTerm": (pod_platform.check_node_fields,),
    "core.v1.NodeSelectorRequirement": (selectors.check_requirement,),
    "meta.v1.LabelSelectorRequirement": (selectors.check_requirement,),
    "meta.v1.LabelSelector": (selectors.check_selector,),
    "core.v1.TopologySpreadConstraint": (pod_platform.check_label_keys,),
    "core.v1.PodAffinityTerm": (pod_platform.check_label_keys,),
    "core.v1.Service": (networking.check_source_ranges,),
    "core.v1.ServiceSpec": (networking.check_service,),
    "core.v1.CSIVolumeSource": (storage.check_secret_of_driver,),
    "core.v1.CSIPersistentVolumeSource": (storage.check_secret_of_driver,),
    "core.v1.PersistentVolumeClaimTemplate": (pod_volumes.check_claim_template,),
    "core.v1.ProjectedVolumeSource": (pod_volumes.check_projected,),
    "core.v1.LimitRangeItem": (storage.check_ratio,),
    "core.v1.EndpointSubset": (networking.check_endpoint_subset,),
    "core.v1.PersistentVolumeClaimSpec": (storage.check_claim,),
    "core.v1.PersistentVolumeSpec": (storage.check_volume,),
    "core.v1.TopologySelectorLabelRequirement": (storage.check_topology,),
    "storage.v1.CSIDriverSpec": (storage.check_driver,),
    "resource.v1.DeviceClaim": (storage.check_device_claim,),
    "core.v1.ResourceQuotaSpec": (storage.check_quota,),
    "core.v1.LimitRangeSpec": (storage.check_limit_range,),
    "core.v1.ReplicationControllerSpec": (workloads.check_replication_controller,),
    "core.v1.ConfigMap": (objects.check_config_map,),
    "core.v1.Secret": (objects.check_secret,),
    "core.v1.Namespace": (objects.check_namespace,),
    "apps.v1.DeploymentSpec": (workloads.check_deployment,),
    "apps.v1.StatefulSetSpec": (workloads.check_stateful_set,),
    "apps.v1.DaemonSetSpec": (workloads.check_daemon_set,),
    "apps.v1.ReplicaSetSpec": (workloads.check_replica_set,),
    "batch.v1.Job": (workloads.check_job_labels,),
    "batch.v1.JobSpec": (workloads.check_job,),
    "batch.v1.CronJobSpec": (workloads.check_cron_job,),
    "discovery.v1.EndpointSlice": (networking.check_endpoint_slice,),
    "networking.v1.Ingress": (networking.check_ingress_annotation,),
    "networking.v1.IngressSpec": (networking.check_ingress,),
    "networking.v1.HTTPIngressPath": (networking.check_ingress_path,),
    "networking.v1.IngressBackend": (networking.check_ingress_backend,),
    "networking.v1.IngressClassSpec": (networking.check_ingress_class,),
    "networking.v1.NetworkPolicySpec": (networking.check_network_policy,),
    "networking.v1.NetworkPolicyPort": (networking.check_network_policy_port,),
    "networking.v1.NetworkPolicyPeer": (networking.check_network_policy_peer,),
    "networking.v1.IPBlock": (networking.check_ip_block,),
    "rbac.v1.Role": (access.check_role,),
    "rbac.v1.ClusterRole": (access.check_cluster_role,),
    "rbac.v1.RoleBinding": (access.check_role_binding,),
    "rbac.v1.ClusterRoleBinding": (access.check_cluster_role_binding,),
    "rbac.v1.Subject": (access.check_subject,),
    "autoscaling.v1.HorizontalPodAutoscalerSpec": (autoscaling.check_target,),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (autoscaling.check_target,),
    "autoscaling.v2.MetricSpec": (autoscaling.check_metric,),
    "admissionregistration.v1.Validation": (admission.check_validation,),
    "admissionregistration.v1.ParamKind": (admission.check_parameters,),
    "autoscaling.v2.HPAScalingRules": (autoscaling.check_rules,),
    "scheduling.v1.PriorityClass": (objects.check_priority_class,),
    "node.v1.Overhead": (lambda part: storage.check_amounts(part.get("podFixed"), "podFixed"),),
    "admissionregistration.v1.ValidatingWebhook": (admission.check_webhook,),
    "admissionregistration.v1.MutatingWebhook": (admission.check_webhook,),
    "admissionregistration.v1.RuleWithOperations": (admission.check_operations,),
    "admissionregistration.v1.NamedRuleWithOperations": (admission.check_operations,),
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": (admission.check_policy,),
    "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": (admission.check_binding,),
    "admissionregistration.v1.Mutation": (admission.check_mutation,),
    "flowcontrol.v1.PriorityLevelConfigurationSpec": (admission.check_priority_level,),
    "flowcontrol.v1.LimitResponse": (admission.check_limit_response,),
    "flowcontrol.v1.PolicyRulesWithSubjects": (admission.check_flow_rule,),
    "flowcontrol.v1.Subject": (admission.check_flow_subject,),
    "flowcontrol.v1.ResourcePolicyRule": (admission.check_flow_resources,),
    _API_SERVICE: (admission.check_api_service,),
    _CONVERSION: (definitions.check_conversion,),
    _CRD: (definitions.check_definition,),
}


_FILLED = (
    "address",
    "network",
    "source-range",
    "host",
    "tls-host",
    "subdomain",
    "qualified",
    "search-domain",
    "label",
)  # formats of lists without empty entries
_FILLED_IN = re.compile(r"<path:[^<>\n]+>")
_EITHER = ("port-or-name", "target-port")


def _inside(key: str, check: Check, part: Part) -> Iterator[Violation]:
    inner = dig(part, *key.split("."))
    if isinstance(inner, Mapping):
        yield from ((f"{key}.{place}", found, needs) for place, found, needs in check(inner))


@cache
def load_published_enums() -> dict[str, dict[str, list[str]]]:
    """Return the values kube-apiserver publishes for the fields of its stable types (`/openapi/v3`)."""
    text = resources.files(__package__).joinpath("enums.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, list[str]]] = json.loads(text)
    return loaded


@cache
def load_enums() -> dict[str, dict[str, frozenset[str]]]:
    """Return the values each field of a type may have: kube-apiserver's published ones, and those of its code."""
    enums: dict[str, dict[str, frozenset[str]]] = {
        name: {field: frozenset(values) for field, values in fields.items() if (name, field) not in OPEN_ENUMS}
        for name, fields in load_published_enums().items()
    }
    for name, fields in MORE_ENUMS.items():
        enums.setdefault(name, {}).update({field: frozenset(values) for field, values in fields.items()})
    return enums


@cache
def checked_types() -> frozenset[str]:
    """List the types that anything is said about."""
    return frozenset({*_CHECKS, *REQUIRED, *FIELDS, *NOT_EMPTY, *ONE_OF, *load_enums()})


def check_part(name: str, part: Part, version: str = "") -> Iterator[Violation]:
    """Check one part of type ``name`` (OpenAPI's, without `io.k8s.api.`), without the parts within it.

    ``version`` is that of Kubernetes; the newest known without one.
    """
    for field in REQUIRED.get(name, ()):
        if part.get(field) in (None, "", [], {}):
            yield field, "is missing", "add it"
    for field in NOT_EMPTY.get(name, ()):
        if part.get(field) == "":
            yield field, "is empty", "add a value, or remove it"
    for field, values in load_enums().get(name, {}).items():
        yield from _check_enum(field, part.get(field), values, ENUM_PREFIXES.get((name, field), ()))
    for field, format_name in FIELDS.get(name, {}).items():
        yield from _check_format(field, part.get(field), format_name, version)
    if name in ONE_OF:
        yield from _check_one_of(part, *ONE_OF[name])
    for check in _CHECKS.get(name, ()):
        yield from check(part)


def _check_enum(field: str, value: object, values: frozenset[str], prefixes: tuple[str, ...]) -> Iterator[Violation]:
    for place, one in _each(field, value):
        if not isinstance(one, str) or one.startswith(prefixes):
            continue
        if (one or place != field) and one not in values:  # "" is the default, but in a list
            close = [known for known in values if known.lower() == one.lower()]
            needs = f"did you mean {close[0]}?" if close else f"needs one of: {', '.join(sorted(filter(None, values)))}"
            yield place, f"found {show(one)}", needs


def _check_format(field: str, value: object, name: str, version: str) -> Iterator[Violation]:
    rule = find_format(name, version)
    for place, one in _each(field, value):
        empty = one == "" and place != field and name in _FILLED
        if one is not None and (empty or not rule.fits(one)):
            needs = rule.needs
            if name in _EITHER:
                needs = FORMATS["port-name" if isinstance(one, str) else "port"].needs
            yield place, "is not base64" if name == "base64" else f"found {show(one)}", needs


def _each(field: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the values of a field, without those that argocd-vault-plugin puts there."""
    listed = isinstance(value, list)
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        if not (isinstance(one, str) and _FILLED_IN.fullmatch(one)):
            yield f"{field}[{index}]" if listed else field, one


def _check_one_of(part: Part, names: str, required: bool) -> Iterator[Violation]:
    found = [name for name in names.split() if is_set(part, name) and part[name] not in ("", 0)]
    if len(found) > 1:
        yield found[1], f"found it beside {found[0]}", "remove one of the two"
    elif not found and required:
        shown = names.split()
        yield "", "is empty", f"needs one of: {', '.join(shown if len(shown) <= 6 else [*shown[:6], '…'])}"  # noqa: PLR2004

"""What the value of a field may be, by API type. Data alone; `enums.json` beside it is what kube-apiserver publishes.

Types are named as Kubernetes' OpenAPI names them, without `io.k8s.api.`. After k8s.io/kubernetes
`pkg/apis/*/validation`; held against kube-apiserver 1.36.3 by tests/e2e/test_api_server.py.
"""

from __future__ import annotations

FIELDS: dict[str, dict[str, str]] = {
    "core.v1.Container": {"name": "label"},
    "core.v1.EphemeralContainer": {"name": "label"},
    "core.v1.ContainerPort": {
        "containerPort": "port", "hostPort": "host-port", "name": "port-name",
    },
    "core.v1.EnvVar": {"name": "environment"},
    "core.v1.EnvFromSource": {"prefix": "environment"},
    "core.v1.SecretEnvSource": {"name": "subdomain"},
    "core.v1.CSIVolumeSource": {"driver": "subdomain"},
    "storage.v1.CSIStorageCapacity": {"storageClassName": "subdomain", "capacity": "quantity"},
    "resource.v1.OpaqueDeviceConfiguration": {"driver": "subdomain"},
    "resource.v1.DeviceRequest": {"name": "label"},
    "resource.v1.ExactDeviceRequest": {"deviceClassName": "subdomain"},
    "networking.v1.ServiceCIDRSpec": {"cidrs": "network"},
    "core.v1.ConfigMapEnvSource": {"name": "subdomain"},
    "core.v1.SecretKeySelector": {"name": "subdomain", "key": "config-key"},
    "core.v1.ConfigMapKeySelector": {"name": "subdomain", "key": "config-key"},
    "core.v1.HTTPGetAction": {"port": "port-or-name"},
    "core.v1.TCPSocketAction": {"port": "port-or-name"},
    "core.v1.GRPCAction": {"port": "port"},
    "core.v1.HTTPHeader": {"name": "header"},
    "core.v1.Probe": {
        "initialDelaySeconds": "count", "timeoutSeconds": "count", "periodSeconds": "count",
        "successThreshold": "count", "failureThreshold": "count", "terminationGracePeriodSeconds": "positive",
    },
    "core.v1.VolumeMount": {"subPath": "inner-path", "subPathExpr": "inner-path"},
    "core.v1.Volume": {"name": "label"},
    "core.v1.KeyToPath": {"path": "file-path", "mode": "mode"},
    "core.v1.DownwardAPIVolumeFile": {"path": "file-path", "mode": "mode"},
    "core.v1.SeccompProfile": {"localhostProfile": "inner-path"},
    "core.v1.AppArmorProfile": {"localhostProfile": "unpadded"},
    "core.v1.WindowsSecurityContextOptions": {"gmsaCredentialSpecName": "subdomain"},
    "core.v1.ISCSIVolumeSource": {"iqn": "iqn"},
    "core.v1.ISCSIPersistentVolumeSource": {"iqn": "iqn"},
    "core.v1.TypedLocalObjectReference": {"apiGroup": "subdomain"},
    "discovery.v1.Endpoint": {"hostname": "label", "nodeName": "subdomain"},
    "admissionregistration.v1.MatchCondition": {"name": "qualified"},
    "core.v1.SecretVolumeSource": {"defaultMode": "mode"},
    "core.v1.ConfigMapVolumeSource": {"defaultMode": "mode"},
    "core.v1.ProjectedVolumeSource": {"defaultMode": "mode"},
    "core.v1.DownwardAPIVolumeSource": {"defaultMode": "mode"},
    "core.v1.ServiceAccountTokenProjection": {"path": "file-path", "expirationSeconds": "token-seconds"},
    "core.v1.HostPathVolumeSource": {"path": "no-dots-path"},
    "core.v1.NFSVolumeSource": {"path": "absolute-path"},
    "core.v1.GitRepoVolumeSource": {"directory": "inner-path"},
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": {"type": "qualified"},
    "core.v1.EmptyDirVolumeSource": {"sizeLimit": "quantity"},
    "core.v1.PodSpec": {
        "serviceAccountName": "subdomain", "hostname": "label", "subdomain": "label", "nodeName": "subdomain",
        "priorityClassName": "subdomain", "runtimeClassName": "subdomain", "activeDeadlineSeconds": "positive",
        "hostnameOverride": "subdomain",
    },
    "core.v1.PodReadinessGate": {"conditionType": "qualified"},
    "core.v1.PodDNSConfig": {"nameservers": "address", "searches": "search-domain"},
    "core.v1.HostAlias": {"ip": "address", "hostnames": "subdomain"},
    "core.v1.PodSecurityContext": {
        "runAsUser": "user", "runAsGroup": "user", "fsGroup": "user", "supplementalGroups": "user",
    },
    "core.v1.SecurityContext": {"runAsUser": "user", "runAsGroup": "user"},
    "core.v1.Sysctl": {"name": "sysctl"},
    "core.v1.Toleration": {"key": "qualified", "value": "label-value"},
    "core.v1.PreferredSchedulingTerm": {"weight": "weight"},
    "core.v1.WeightedPodAffinityTerm": {"weight": "weight"},
    "core.v1.PodAffinityTerm": {
        "topologyKey": "qualified", "namespaces": "label", "matchLabelKeys": "qualified",
        "mismatchLabelKeys": "qualified",
    },
    "core.v1.TopologySpreadConstraint": {
        "maxSkew": "positive", "minDomains": "positive", "matchLabelKeys": "qualified",
    },
    "core.v1.NodeSelectorRequirement": {"key": "qualified", "values": "label-value"},
    "meta.v1.LabelSelectorRequirement": {"key": "qualified", "values": "label-value"},
    "core.v1.ServicePort": {
        "name": "label", "port": "port", "targetPort": "target-port", "nodePort": "host-port",
        "appProtocol": "qualified",
    },
    "core.v1.ServiceSpec": {
        "externalIPs": "address", "loadBalancerSourceRanges": "source-range", "externalName": "external-name",
        "loadBalancerClass": "qualified",
    },
    "core.v1.ClientIPConfig": {"timeoutSeconds": "affinity-seconds"},
    "core.v1.EndpointAddress": {"ip": "address"},
    "core.v1.EndpointPort": {"port": "port", "name": "label"},
    "core.v1.PersistentVolumeClaimSpec": {"storageClassName": "subdomain"},
    "core.v1.PersistentVolumeSpec": {"storageClassName": "subdomain"},
    "core.v1.CSIPersistentVolumeSource": {"driver": "driver"},
    "rbac.v1.RoleRef": {"name": "path-segment"},
    "autoscaling.v1.CrossVersionObjectReference": {"name": "path-segment", "kind": "path-segment"},
    "autoscaling.v2.CrossVersionObjectReference": {"name": "path-segment", "kind": "path-segment"},
    "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": {"policyName": "subdomain"},
    "flowcontrol.v1.PriorityLevelConfigurationReference": {"name": "subdomain"},
    "flowcontrol.v1.FlowSchemaSpec": {"matchingPrecedence": "precedence"},
    "flowcontrol.v1.LimitedPriorityLevelConfiguration": {"nominalConcurrencyShares": "count"},
    "apps.v1.DeploymentSpec": {
        "replicas": "count", "minReadySeconds": "count", "revisionHistoryLimit": "count",
        "progressDeadlineSeconds": "count",
    },
    "apps.v1.RollingUpdateDeployment": {"maxSurge": "share", "maxUnavailable": "share-of-all"},
    "apps.v1.StatefulSetSpec": {
        "replicas": "count", "minReadySeconds": "count", "serviceName": "label",
    },
    "apps.v1.StatefulSetOrdinals": {"start": "count"},
    "apps.v1.RollingUpdateStatefulSetStrategy": {"partition": "count", "maxUnavailable": "share"},
    "apps.v1.DaemonSetSpec": {"minReadySeconds": "count", "revisionHistoryLimit": "count"},
    "apps.v1.RollingUpdateDaemonSet": {"maxSurge": "share-of-all", "maxUnavailable": "share-of-all"},
    "apps.v1.ReplicaSetSpec": {"replicas": "count", "minReadySeconds": "count"},
    "core.v1.ReplicationControllerSpec": {"replicas": "count", "minReadySeconds": "count"},
    "batch.v1.JobSpec": {
        "parallelism": "count", "completions": "count", "backoffLimit": "count", "ttlSecondsAfterFinished": "count",
        "activeDeadlineSeconds": "count", "backoffLimitPerIndex": "count", "maxFailedIndexes": "count",
    },
    "batch.v1.CronJobSpec": {
        "startingDeadlineSeconds": "count", "successfulJobsHistoryLimit": "count", "failedJobsHistoryLimit": "count",
    },
    "discovery.v1.EndpointPort": {"name": "label"},
    "networking.v1.IngressRule": {"host": "host"},
    "networking.v1.IngressTLS": {"hosts": "tls-host", "secretName": "subdomain"},
    "networking.v1.IngressServiceBackend": {"name": "service-name"},
    "networking.v1.ServiceBackendPort": {"name": "port-name", "number": "host-port"},
    "networking.v1.IngressClassSpec": {"controller": "controller"},
    "networking.v1.NetworkPolicyPort": {"port": "port-or-name", "endPort": "port"},
    "networking.v1.IPBlock": {"cidr": "network", "except": "network"},
    "autoscaling.v1.HorizontalPodAutoscalerSpec": {
        "minReplicas": "positive", "targetCPUUtilizationPercentage": "positive",
    },
    "autoscaling.v2.HorizontalPodAutoscalerSpec": {"minReplicas": "positive"},
    "autoscaling.v2.MetricTarget": {"averageUtilization": "positive"},
    "autoscaling.v2.HPAScalingRules": {"stabilizationWindowSeconds": "window", "tolerance": "quantity"},
    "autoscaling.v2.HPAScalingPolicy": {"value": "positive", "periodSeconds": "period"},
    "policy.v1.PodDisruptionBudgetSpec": {"minAvailable": "share-of-all", "maxUnavailable": "share-of-all"},
    "storage.v1.StorageClass": {"provisioner": "provisioner"},
    "scheduling.v1.PriorityClass": {"value": "priority"},
    "node.v1.RuntimeClass": {"handler": "label"},
    "coordination.v1.LeaseSpec": {"leaseDurationSeconds": "positive"},
    "admissionregistration.v1.ValidatingWebhook": {"name": "webhook", "timeoutSeconds": "seconds-to-30"},
    "admissionregistration.v1.MutatingWebhook": {"name": "webhook", "timeoutSeconds": "seconds-to-30"},
    "admissionregistration.v1.ServiceReference": {"path": "absolute-path", "port": "port"},
    "admissionregistration.v1.WebhookClientConfig": {"caBundle": "base64"},
    "kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec": {
        "groupPriorityMinimum": "group-priority", "versionPriority": "version-priority",
    },
}  # fmt: skip

_VERBS = (
    "*", "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch",
)  # fmt: skip
MORE_ENUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": ("Retain", "Delete"), "whenScaled": ("Retain", "Delete"),
    },
    "core.v1.Container": {"restartPolicy": ("Always", "Never", "OnFailure")},
    "core.v1.ContainerResizePolicy": {
        "resourceName": ("cpu", "memory"), "restartPolicy": ("NotRequired", "RestartContainer"),
    },
    "core.v1.PodSecurityContext": {"seLinuxChangePolicy": ("MountOption", "Recursive")},
    "core.v1.ContainerRestartRule": {"action": ("Restart", "RestartAllContainers")},
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": {"status": ("False", "True", "Unknown")},
    "admissionregistration.v1.Validation": {"reason": ("Forbidden", "Invalid", "RequestEntityTooLarge")},
    "admissionregistration.v1.ParamRef": {"parameterNotFoundAction": ("Allow", "Deny")},
    "core.v1.VolumeMount": {"recursiveReadOnly": ("Disabled", "Enabled", "IfPossible")},
    "core.v1.PodOS": {"name": ("linux", "windows")},
    "core.v1.ServiceSpec": {"trafficDistribution": ("PreferClose", "PreferSameZone", "PreferSameNode")},
    "meta.v1.LabelSelectorRequirement": {"operator": ("In", "NotIn", "Exists", "DoesNotExist")},
    "networking.v1.IngressClassParametersReference": {"scope": ("Cluster", "Namespace")},
    "rbac.v1.RoleRef": {"kind": ("Role", "ClusterRole"), "apiGroup": ("rbac.authorization.k8s.io",)},
    "rbac.v1.Subject": {"kind": ("ServiceAccount", "User", "Group")},
    "autoscaling.v2.MetricSpec": {"type": ("ContainerResource", "External", "Object", "Pods", "Resource")},
    "autoscaling.v2.MetricTarget": {"type": ("Utilization", "Value", "AverageValue")},
    "autoscaling.v2.HPAScalingRules": {"selectPolicy": ("Disabled", "Max", "Min")},
    "autoscaling.v2.HPAScalingPolicy": {"type": ("Percent", "Pods")},
    "core.v1.ResourceFieldSelector": {
        "resource": (
            "limits.cpu", "limits.memory", "limits.ephemeral-storage",
            "requests.cpu", "requests.memory", "requests.ephemeral-storage",
        ),
    },
    "storage.v1.StorageClass": {"reclaimPolicy": ("Delete", "Retain")},
    "storage.v1.CSIDriverSpec": {
        "fsGroupPolicy": ("File", "None", "ReadWriteOnceWithFSType"),
        "volumeLifecycleModes": ("Persistent", "Ephemeral"),
    },
    "admissionregistration.v1.ValidatingWebhook": {"sideEffects": ("None", "NoneOnDryRun")},
    "admissionregistration.v1.MutatingWebhook": {"sideEffects": ("None", "NoneOnDryRun")},
    "flowcontrol.v1.Subject": {"kind": ("Group", "ServiceAccount", "User")},
    "flowcontrol.v1.FlowDistinguisherMethod": {"type": ("ByNamespace", "ByUser")},
    "flowcontrol.v1.ResourcePolicyRule": {"verbs": _VERBS},
    "flowcontrol.v1.LimitResponse": {"type": ("Queue", "Reject")},
    "flowcontrol.v1.PriorityLevelConfigurationSpec": {"type": ("Exempt", "Limited")},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec": {
        "scope": ("Cluster", "Namespaced"),
    },
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion": {"strategy": ("None", "Webhook")},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition": {
        "type": ("boolean", "date", "integer", "number", "string"),
        "format": ("byte", "date", "date-time", "double", "float", "int32", "int64", "password"),
    },
}  # fmt: skip
"""Values that only the API server's code knows."""

ENUM_PREFIXES: dict[tuple[str, str], tuple[str, ...]] = {
    ("core.v1.ResourceFieldSelector", "resource"): ("limits.hugepages-", "requests.hugepages-"),
}
"""What values beside those of an enum begin with."""

OPEN_ENUMS: frozenset[tuple[str, str]] = frozenset(
    {("core.v1.Toleration", "operator"), ("core.v1.LimitRangeItem", "type"), ("core.v1.Lifecycle", "stopSignal")}
)
"""Enums of `enums.json` that a feature gate widens, or that other values pass as well."""

"""Rules of one field, by API type: what is required, what a value may be, what excludes what. Data alone.

Types are named as Kubernetes' OpenAPI names them, without `io.k8s.api.`; `enums.json` beside this file is what
kube-apiserver publishes (`/openapi/v3`, 1.36). After k8s.io/kubernetes `pkg/apis/*/validation`; held against
kube-apiserver 1.36.3 by tests/e2e/test_api_server.py.
"""

from __future__ import annotations

REQUIRED: dict[str, tuple[str, ...]] = {
    "core.v1.Container": ("name", "image"),
    "core.v1.EphemeralContainer": ("name", "image"),
    "core.v1.EnvVar": ("name",),
    "core.v1.VolumeMount": ("name", "mountPath"),
    "core.v1.VolumeDevice": ("name", "devicePath"),
    "core.v1.Volume": ("name",),
    "core.v1.ContainerPort": ("containerPort",),
    "core.v1.PodSpec": ("containers",),
    "core.v1.ServicePort": ("port",),
    "core.v1.KeyToPath": ("key", "path"),
    "core.v1.DownwardAPIVolumeFile": ("path",),
    "core.v1.HTTPGetAction": ("port",),
    "core.v1.TCPSocketAction": ("port",),
    "core.v1.GRPCAction": ("port",),
    "core.v1.ExecAction": ("command",),
    "core.v1.HTTPHeader": ("name",),
    "core.v1.HostPathVolumeSource": ("path",),
    "core.v1.NFSVolumeSource": ("server", "path"),
    "core.v1.LocalVolumeSource": ("path",),
    "core.v1.CSIVolumeSource": ("driver",),
    "core.v1.CSIPersistentVolumeSource": ("driver", "volumeHandle"),
    "core.v1.PersistentVolumeClaimVolumeSource": ("claimName",),
    "core.v1.EphemeralVolumeSource": ("volumeClaimTemplate",),
    "core.v1.SecretVolumeSource": ("secretName",),
    "core.v1.ConfigMapVolumeSource": ("name",),
    "core.v1.ServiceAccountTokenProjection": ("path",),
    "core.v1.SecretProjection": ("name",),
    "core.v1.ConfigMapProjection": ("name",),
    "core.v1.ConfigMapEnvSource": ("name",),
    "core.v1.SecretEnvSource": ("name",),
    "core.v1.ConfigMapKeySelector": ("name", "key"),
    "core.v1.SecretKeySelector": ("name", "key"),
    "core.v1.ObjectFieldSelector": ("fieldPath",),
    "core.v1.ResourceFieldSelector": ("resource",),
    "core.v1.HostAlias": ("ip",),
    "core.v1.PodDNSConfigOption": ("name",),
    "core.v1.SeccompProfile": ("type",),
    "core.v1.AppArmorProfile": ("type",),
    "core.v1.Sysctl": ("name",),
    "core.v1.TopologySpreadConstraint": ("maxSkew", "topologyKey", "whenUnsatisfiable"),
    "core.v1.PodAffinityTerm": ("topologyKey",),
    "core.v1.NodeSelector": ("nodeSelectorTerms",),
    "core.v1.NodeSelectorRequirement": ("key", "operator"),
    "core.v1.PreferredSchedulingTerm": ("weight",),
    "core.v1.WeightedPodAffinityTerm": ("weight",),
    "core.v1.PersistentVolumeClaimSpec": ("accessModes",),
    "core.v1.PersistentVolumeSpec": ("accessModes", "capacity"),
    "core.v1.LimitRangeItem": ("type",),
    "core.v1.TopologySelectorLabelRequirement": ("key", "values"),
    "meta.v1.LabelSelectorRequirement": ("key", "operator"),
    "meta.v1.OwnerReference": ("apiVersion", "kind", "name", "uid"),
    "batch.v1.CronJobSpec": ("schedule",),
    "discovery.v1.EndpointSlice": ("addressType",),
    "discovery.v1.Endpoint": ("addresses",),
    "networking.v1.HTTPIngressPath": ("pathType",),
    "networking.v1.HTTPIngressRuleValue": ("paths",),
    "networking.v1.IngressServiceBackend": ("name",),
    "networking.v1.IngressClassSpec": ("controller",),
    "networking.v1.IPBlock": ("cidr",),
    "rbac.v1.PolicyRule": ("verbs",),
    "rbac.v1.RoleRef": ("kind", "name"),
    "rbac.v1.Subject": ("kind", "name"),
    "autoscaling.v1.HorizontalPodAutoscalerSpec": ("maxReplicas", "scaleTargetRef"),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": ("maxReplicas", "scaleTargetRef"),
    "autoscaling.v1.CrossVersionObjectReference": ("kind", "name"),
    "autoscaling.v2.CrossVersionObjectReference": ("kind", "name"),
    "autoscaling.v2.MetricSpec": ("type",),
    "autoscaling.v2.MetricTarget": ("type",),
    "autoscaling.v2.MetricIdentifier": ("name",),
    "autoscaling.v2.ContainerResourceMetricSource": ("name", "container"),
    "autoscaling.v2.ResourceMetricSource": ("name",),
    "autoscaling.v2.HPAScalingPolicy": ("type", "value", "periodSeconds"),
    "storage.v1.StorageClass": ("provisioner",),
    "node.v1.RuntimeClass": ("handler",),
    "admissionregistration.v1.ValidatingWebhook": ("name", "admissionReviewVersions", "sideEffects", "clientConfig"),
    "admissionregistration.v1.MutatingWebhook": ("name", "admissionReviewVersions", "sideEffects", "clientConfig"),
    "admissionregistration.v1.ServiceReference": ("name", "namespace"),
    "admissionregistration.v1.RuleWithOperations": ("apiGroups", "apiVersions", "operations", "resources"),
    "admissionregistration.v1.NamedRuleWithOperations": ("apiGroups", "apiVersions", "operations", "resources"),
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": ("matchConstraints",),
    "admissionregistration.v1.Validation": ("expression",),
    "admissionregistration.v1.MatchCondition": ("name", "expression"),
    "admissionregistration.v1.ParamKind": ("apiVersion", "kind"),
    "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": ("policyName", "validationActions"),
    "kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec": ("groupPriorityMinimum", "versionPriority"),
    "kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": ("name", "namespace"),
    "flowcontrol.v1.PriorityLevelConfigurationReference": ("name",),
    "flowcontrol.v1.FlowSchemaSpec": ("priorityLevelConfiguration",),
    "flowcontrol.v1.PolicyRulesWithSubjects": ("subjects",),
    "flowcontrol.v1.ResourcePolicyRule": ("verbs", "apiGroups", "resources"),
    "flowcontrol.v1.NonResourcePolicyRule": ("verbs", "nonResourceURLs"),
    "flowcontrol.v1.Subject": ("kind",),
    "flowcontrol.v1.GroupSubject": ("name",),
    "flowcontrol.v1.PriorityLevelConfigurationSpec": ("type",),
    "flowcontrol.v1.LimitedPriorityLevelConfiguration": ("limitResponse",),
    "flowcontrol.v1.LimitResponse": ("type",),
    "core.v1.EndpointAddress": ("ip",),
}  # fmt: skip

NOT_REQUIRED: frozenset[tuple[str, str]] = frozenset(
    {
        ("rbac.v1.RoleRef", "apiGroup"),
        ("discovery.v1.EndpointSlice", "endpoints"),
        ("scheduling.v1.PriorityClass", "value"),
        ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion", "served"),
        ("apps.v1.StatefulSetSpec", "serviceName"),
        ("core.v1.LimitRangeSpec", "limits"),
        ("storage.v1.CSIDriver", "spec"),
    }
)
"""Fields that the published schemas call required and the API server fills in."""

FIELDS: dict[str, dict[str, str]] = {
    "core.v1.Container": {"name": "label"},
    "core.v1.EphemeralContainer": {"name": "label"},
    "core.v1.ContainerPort": {
        "containerPort": "port", "hostPort": "host-port", "name": "port-name",
    },
    "core.v1.EnvVar": {"name": "environment"},
    "core.v1.EnvFromSource": {"prefix": "environment"},
    "core.v1.SecretEnvSource": {"name": "subdomain"},
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
    "core.v1.KeyToPath": {"path": "inner-path", "mode": "mode"},
    "core.v1.DownwardAPIVolumeFile": {"path": "inner-path", "mode": "mode"},
    "core.v1.SecretVolumeSource": {"defaultMode": "mode"},
    "core.v1.ConfigMapVolumeSource": {"defaultMode": "mode"},
    "core.v1.ProjectedVolumeSource": {"defaultMode": "mode"},
    "core.v1.DownwardAPIVolumeSource": {"defaultMode": "mode"},
    "core.v1.ServiceAccountTokenProjection": {"path": "inner-path", "expirationSeconds": "token-seconds"},
    "core.v1.HostPathVolumeSource": {"path": "no-dots-path"},
    "core.v1.NFSVolumeSource": {"path": "absolute-path"},
    "core.v1.EmptyDirVolumeSource": {"sizeLimit": "quantity"},
    "core.v1.PodSpec": {
        "serviceAccountName": "subdomain", "hostname": "label", "subdomain": "label", "nodeName": "subdomain",
        "priorityClassName": "subdomain", "runtimeClassName": "subdomain", "activeDeadlineSeconds": "positive",
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
    "core.v1.PodAffinityTerm": {"topologyKey": "qualified", "namespaces": "label"},
    "core.v1.TopologySpreadConstraint": {"maxSkew": "positive", "minDomains": "positive"},
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
        "replicas": "count", "minReadySeconds": "count", "revisionHistoryLimit": "count", "serviceName": "label",
    },
    "apps.v1.StatefulSetOrdinals": {"start": "count"},
    "apps.v1.RollingUpdateStatefulSetStrategy": {"partition": "count", "maxUnavailable": "share-of-all"},
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
    "networking.v1.IngressTLS": {"hosts": "host", "secretName": "subdomain"},
    "networking.v1.IngressServiceBackend": {"name": "label"},
    "networking.v1.ServiceBackendPort": {"name": "port-name", "number": "host-port"},
    "networking.v1.IngressClassSpec": {"controller": "controller"},
    "networking.v1.NetworkPolicyPort": {"port": "port-or-name", "endPort": "port"},
    "networking.v1.IPBlock": {"cidr": "network", "except": "network"},
    "autoscaling.v1.HorizontalPodAutoscalerSpec": {
        "minReplicas": "positive", "targetCPUUtilizationPercentage": "positive",
    },
    "autoscaling.v2.HorizontalPodAutoscalerSpec": {"minReplicas": "positive"},
    "autoscaling.v2.MetricTarget": {"averageUtilization": "positive"},
    "autoscaling.v2.HPAScalingRules": {"stabilizationWindowSeconds": "window"},
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

MORE_ENUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": ("Retain", "Delete"), "whenScaled": ("Retain", "Delete"),
    },
    "core.v1.Container": {"restartPolicy": ("Always", "Never", "OnFailure")},
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
    "flowcontrol.v1.LimitResponse": {"type": ("Queue", "Reject")},
    "flowcontrol.v1.PriorityLevelConfigurationSpec": {"type": ("Exempt", "Limited")},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec": {
        "scope": ("Cluster", "Namespaced"),
    },
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion": {"strategy": ("None", "Webhook")},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition": {
        "type": ("boolean", "date", "integer", "number", "string"),
    },
}  # fmt: skip
"""Values that only the API server's code knows."""

ENUM_PREFIXES: dict[tuple[str, str], tuple[str, ...]] = {
    ("core.v1.ResourceFieldSelector", "resource"): ("limits.hugepages-", "requests.hugepages-"),
}
"""What values beside those of an enum begin with."""

OPEN_ENUMS: frozenset[tuple[str, str]] = frozenset(
    {("core.v1.Toleration", "operator"), ("core.v1.LimitRangeItem", "type")}
)
"""Enums of `enums.json` that a feature gate widens, or that other values pass as well."""

_VOLUMES = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume "
    "flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs persistentVolumeClaim photonPersistentDisk "
    "portworxVolume projected quobyte rbd scaleIO secret storageos vsphereVolume local"
)

ONE_OF: dict[str, tuple[str, bool]] = {
    "core.v1.Probe": ("exec grpc httpGet tcpSocket", True),
    "core.v1.LifecycleHandler": ("exec httpGet sleep tcpSocket", True),
    "core.v1.Volume": (_VOLUMES, False),
    "core.v1.PersistentVolumeSpec": (_VOLUMES, True),
    "core.v1.VolumeProjection": (
        "clusterTrustBundle configMap downwardAPI podCertificate secret serviceAccountToken", False
    ),
    "core.v1.EnvVarSource": ("configMapKeyRef fieldRef fileKeyRef resourceFieldRef secretKeyRef", True),
    "core.v1.EnvFromSource": ("configMapRef secretRef", True),
    "core.v1.DownwardAPIVolumeFile": ("fieldRef resourceFieldRef", True),
    "networking.v1.IngressBackend": ("service resource", True),
    "networking.v1.ServiceBackendPort": ("name number", True),
    "policy.v1.PodDisruptionBudgetSpec": ("minAvailable maxUnavailable", False),
    "batch.v1.PodFailurePolicyRule": ("onExitCodes onPodConditions", True),
    "admissionregistration.v1.WebhookClientConfig": ("url service", True),
}  # fmt: skip
"""Fields of which one can be set, and whether one must be."""

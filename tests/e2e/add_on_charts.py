"""Small charts in place of the add-ons' own: an object of every kind they may have, with the trouble each makes.

What trouble a chart makes is in docs/add-ons.md. Packed by the real helm, and served on loopback by HTTPS, as chart
repositories are.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.certificate import write_certificate
from gitops_stack.live.kinds import plural
from gitops_stack.settings.add_on_charts import AddOnChart, list_add_on_charts, load_add_on_chart
from tests.loopback import serving

NAME = "{{ .Release.Name }}"
_IMAGE = "registry.k8s.io/pause:3.10"
_LABELS = {"app": NAME}
_POD: dict[str, Any] = {"metadata": {"labels": _LABELS}, "spec": {"containers": [{"name": "main", "image": _IMAGE}]}}
_SUBJECT = [{"kind": "ServiceAccount", "name": NAME, "namespace": "{{ .Release.Namespace }}"}]
_RBAC = "rbac.authorization.k8s.io"
# Their own API versions, where it is not v1.
_VERSIONS = {"elbv2.k8s.aws": "v1beta1"}
_CUSTOM = ("elbv2.k8s.aws", "monitoring.coreos.com")
_CLUSTER_WIDE = ("IngressClassParams",)
_RESOURCES = {"IngressClassParams": "ingressclassparams"}  # its own CRD says so, and no rule of plurals
_HOOK = {"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}
_BODIES: dict[str, dict[str, Any]] = {
    "ConfigMap": {"data": {"colour": "blue"}},
    "Secret": {"data": {"word": "aHVudGVyMg=="}},
    "Service": {"spec": {"selector": _LABELS, "ports": [{"port": 443}]}},
    "Deployment": {"spec": {"selector": {"matchLabels": _LABELS}, "template": _POD}},
    "DaemonSet": {"spec": {"selector": {"matchLabels": _LABELS}, "template": _POD}},
    "Job": {"spec": {"template": {"spec": {**_POD["spec"], "restartPolicy": "Never"}}}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": _LABELS}}},
    "Role": {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]},
    "ClusterRole": {"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]},
    "RoleBinding": {"roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": NAME}, "subjects": _SUBJECT},
    "ClusterRoleBinding": {"roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": NAME}, "subjects": _SUBJECT},
    "IngressClass": {"spec": {"controller": "example.com/none"}},
    "APIService": {
        "spec": {"group": "metrics.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100}
    },
}
_NAMES = {"APIService": "v1.metrics.example.com"}
# Several, where the real ones bring many: Argo CD takes in one after the other, and sees late that it is established.
_DEFINITIONS = {"cert-manager": 3, "external-secrets": 6, "kube-prometheus-stack": 3}
_LARGE = "x" * 300_000

# A certificate made at every render, whose authority is in the webhooks too, unless cert-manager makes it.
_MADE_CERTIFICATE = """\
{{- if not .Values.enableCertManager }}
{{- $ca := genCA "webhook" 3650 }}
{{- $pair := genSignedCert "webhook" nil (list "webhook.local") 3650 $ca }}
apiVersion: v1
kind: Secret
metadata: {name: aws-load-balancer-tls}
type: kubernetes.io/tls
data:
  ca.crt: {{ $ca.Cert | b64enc }}
  tls.crt: {{ $pair.Cert | b64enc }}
  tls.key: {{ $pair.Key | b64enc }}
{{- range list "MutatingWebhookConfiguration" "ValidatingWebhookConfiguration" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: {{ . }}
metadata: {name: aws-load-balancer-webhook}
webhooks:
{{- range list "one" "two" }}
- name: {{ . }}.webhook.example.com
  clientConfig: {caBundle: {{ $ca.Cert | b64enc }}, service: {name: none, namespace: kube-system}}
  rules: [{apiGroups: [none.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]
  sideEffects: None
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
{{- end }}
{{- end }}
{{- end }}
"""
# An authority that a controller writes in, later.
_INJECTED = """\
apiVersion: admissionregistration.k8s.io/v1
kind: {kind}
metadata: {{name: "{{{{ .Release.Name }}}}"}}
webhooks:
- name: injected.webhook.example.com
  clientConfig: {{service: {{name: none, namespace: kube-system}}}}
  rules: [{{apiGroups: [none.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings]}}]
  sideEffects: None
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
"""
# A token made at every render unless there is a Secret, with a checksum that restarts the pods; and an id in any case.
_MADE_TOKEN = """\
{{- if not .Values.clusterAgent.tokenExistingSecret }}
apiVersion: v1
kind: Secret
metadata: {name: datadog-cluster-agent}
data: {token: {{ randAlphaNum 32 | b64enc }}}
---
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: datadog-kpi-telemetry-configmap}
data: {install_id: {{ uuidv4 | quote }}}
"""
_GRAFANA = """\
{{- if and .Values.grafana.enabled (not (dig "admin" "existingSecret" "" .Values.grafana)) }}
apiVersion: v1
kind: Secret
metadata: {name: grafana}
data: {admin-password: {{ randAlphaNum 40 | b64enc }}}
---
{{- end }}
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}-coredns", namespace: kube-system}
spec: {clusterIP: None, selector: {k8s-app: kube-dns}, ports: [{port: 9153}]}
---
apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: main, image: "registry.k8s.io/pause:3.10"}]}
"""
_OUTSIDE = """\
{{- if .Values.outside }}
apiVersion: v1
kind: LimitRange
metadata: {name: outside}
spec: {limits: [{type: Container, default: {cpu: 1}}]}
{{- end }}
"""
_TROUBLE = {
    "aws-load-balancer-controller": _MADE_CERTIFICATE,
    "datadog": _MADE_TOKEN,
    "kube-prometheus-stack": _GRAFANA,
    "metrics-server": _OUTSIDE,
}


def write_chart(folder: Path, name: str, chart: AddOnChart) -> None:
    """Write the stand-in for the chart of add-on ``name``; its service account carries all values it was given."""
    (folder / "templates").mkdir(parents=True)
    (folder / "crds").mkdir()
    head = {"apiVersion": "v2", "name": chart.chart, "version": chart.version}
    (folder / "Chart.yaml").write_text(render_document(head))
    (folder / "values.yaml").write_text("clusterAgent: {}\ngrafana: {}\noutside: false\nenableCertManager: false\n")
    (folder / "templates/trouble.yaml").write_text(_TROUBLE.get(name, ""))
    for kind in (*chart.kinds, *chart.cluster_kinds):
        group, _, bare = kind.rpartition("/")
        if group in _CUSTOM:
            (folder / f"crds/{bare.lower()}.yaml").write_text(render_document(_define(group, bare)))
        if bare.endswith("WebhookConfiguration"):
            if name != "aws-load-balancer-controller":
                (folder / f"templates/{bare}.yaml").write_text(_INJECTED.format(kind=bare))
        elif bare == "CustomResourceDefinition":
            for number in range(_DEFINITIONS.get(name, 1)):
                large = _LARGE if (name, number) == ("kube-prometheus-stack", 0) else ""
                definition = _define(f"{name}.example.com", f"Thing{number or ''}", large)
                if name == "argo-rollouts":
                    definition["spec"]["preserveUnknownFields"] = False
                (folder / f"crds/thing-{number}.yaml").write_text(render_document(definition))
        else:
            made = render_document(_build(group, bare))
            if group == "cert-manager.io":
                made = f"{{{{- if .Values.enableCertManager }}}}\n{made}{{{{- end }}}}\n"
            (folder / f"templates/{group}-{bare}.yaml").write_text(made)


def _build(group: str, kind: str) -> dict[str, Any]:
    api_version = f"{group}/{_VERSIONS.get(group, 'v1')}" if group else "v1"
    metadata: dict[str, Any] = {"name": _NAMES.get(kind, NAME)}
    if kind == "Job":
        metadata["annotations"] = _HOOK
    if kind == "ServiceAccount":
        metadata["annotations"] = {"values": "{{ .Values | toJson }}"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **_BODIES.get(kind, {})}


def _define(group: str, kind: str, described: str = "") -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "description": described}
    resource = _RESOURCES.get(kind) or plural(kind)
    version = {
        "name": _VERSIONS.get(group, "v1"),
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": resource},
            "scope": "Cluster" if kind in _CLUSTER_WIDE else "Namespaced",
            "versions": [version],
        },
    }


def pack_charts(folder: Path, helm: Path) -> None:
    """Write and pack the stand-ins of all add-ons, with the repository's index."""
    for name in list_add_on_charts():
        write_chart(folder / "source" / name, name, load_add_on_chart(name))
    packed = folder / "packed"
    packed.mkdir()
    charts = [str(folder / "source" / name) for name in list_add_on_charts()]
    for command in ([str(helm), "package", *charts, "-d", str(packed)], [str(helm), "repo", "index", str(packed)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving_charts(folder: Path) -> Iterator[str]:
    """Serve a folder as a chart repository with a certificate of its own; yields its URL."""
    certificate = folder / "certificate.pem"
    write_certificate(certificate, "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder / "packed")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"https://127.0.0.1:{server.server_port}"


def read_values(service_account: dict[str, Any]) -> dict[str, Any]:
    """Return the values that a stand-in was rendered with."""
    found: dict[str, Any] = json.loads(service_account["metadata"]["annotations"]["values"])
    return found

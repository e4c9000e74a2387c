"""ServiceMonitors and alerts; upstream has the first as examples (docs/operator-manual/metrics.md) and no alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.manifests import Manifest
from gitops_stack.settings import ArgoCDSettings

_API = "monitoring.coreos.com/v1"
_SERVICES = (
    "argocd-metrics", "argocd-server-metrics", "argocd-repo-server", "argocd-applicationset-controller",
    "argocd-notifications-controller-metrics",
)  # fmt: skip
# name, expression, how long, severity, what to say
_ALERTS = (
    ("ArgoCDIsAbsent", "absent(argocd_info)", "10m", "critical", "argocd-server reports nothing."),
    ("ArgoCDApplicationOutOfSync", 'argocd_app_info{sync_status!="Synced"} == 1', "30m", "warning",
     "{{ $labels.name }} has not been Synced for half an hour."),
    ("ArgoCDApplicationUnhealthy", 'argocd_app_info{health_status=~"Degraded|Missing"} == 1', "15m", "warning",
     "{{ $labels.name }} is {{ $labels.health_status }}."),
    ("ArgoCDSyncFailed",
     # A series begins with its first failure, at 1, of which `increase` knows nothing.
     'increase(argocd_app_sync_total{phase=~"Error|Failed"}[15m]) > 0 or '
     '(argocd_app_sync_total{phase=~"Error|Failed"} unless argocd_app_sync_total offset 15m)', "0m", "warning",
     "A sync of {{ $labels.name }} failed."),
    ("ArgoCDClusterUnreachable", "argocd_cluster_connection_status == 0", "10m", "critical",
     "Argo CD cannot reach {{ $labels.server }}."),
    ("ArgoCDGitFetchFails", "increase(argocd_git_fetch_fail_total[15m]) > 0", "15m", "warning",
     "{{ $labels.repo }} cannot be fetched."),
)  # fmt: skip


def build_metrics(argocd: ArgoCDSettings) -> Iterator[Manifest]:
    """Yield the objects without their namespace, which is Argo CD's."""
    metrics = argocd.metrics
    if metrics.service_monitors:
        services = [(name, "metrics") for name in _SERVICES]
        services += [("argocd-dex-server", "metrics")] if argocd.uses_dex else []
        services += [("argocd-redis-ha-haproxy", "http-exporter-port")] if argocd.high_availability else []
        for name, port in services:
            selector = {"matchLabels": {"app.kubernetes.io/name": name}}
            yield _object("ServiceMonitor", name, metrics.labels, {"selector": selector, "endpoints": [{"port": port}]})
    if metrics.alerts:
        rules = [
            {
                "alert": name,
                "expr": expression,
                "for": duration,
                "labels": {"severity": severity},
                "annotations": {"summary": text},
            }
            for name, expression, duration, severity, text in _ALERTS
        ]
        yield _object("PrometheusRule", "argocd", metrics.labels, {"groups": [{"name": "argocd", "rules": rules}]})


def _object(kind: str, name: str, labels: dict[str, str], spec: dict[str, Any]) -> Manifest:
    metadata = {"name": name, **({"labels": dict(labels)} if labels else {})}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}

"""What an EKS API server asks about tokens: who a presigned GetCallerIdentity is, and whether the cluster lets it in.

A token is `k8s-aws-v1.` and, in base64, a presigned request to the region's STS; the cluster's name is among its signed
headers (kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster"). The account's one caller
has one key. It enters a cluster that knows an access entry of it (admission.py). The API server reaches this as a
webhook (Kubernetes reference, "Webhook Token Authentication").
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from pulumi_aws_double.admission import CALLER
from pulumi_aws_double.aws_cli import ADMISSIONS
from pulumi_aws_double.resources.kinds import CLUSTERS
from pulumi_aws_double.servers import LOOPBACK
from pulumi_aws_double.store import Store

PREFIX: Final = "k8s-aws-v1."
CLUSTER_HEADER: Final = "x-k8s-aws-id"
KEY: Final = "double"
"""Key id and secret of the account's caller, as :func:`pulumi_aws_double.account.build_environment` gives them."""
_HOST = re.compile(r"sts\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+")  # each partition has a suffix of its own
_LIFE_SECONDS = 15 * 60
_ASKED: Final = ("https", "GetCallerIdentity")
_REFUSED: Final = {"authenticated": False}


def build_webhook_config(port: int) -> dict[str, Any]:
    """Return the kubeconfig that sends an API server's questions to ``port`` of loopback."""
    name = "eks"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"http://{LOOPBACK}:{port}"}}],
        "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def review(store: Store, token: str, now: float) -> Mapping[str, Any]:
    """Return the status of a TokenReview; ``now`` in seconds since the epoch."""
    try:
        url = urlsplit(_decode(token.removeprefix(PREFIX)))
        query = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=True))
        host = _HOST.fullmatch(url.netloc)
        signed = query["X-Amz-SignedHeaders"].split(";")
        at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        key, signature = query["X-Amz-Credential"].partition("/")[0], query["X-Amz-Signature"]
    except (ValueError, LookupError):
        return _REFUSED
    if not token.startswith(PREFIX) or host is None or (url.scheme, query.get("Action")) != _ASKED:
        return _REFUSED
    if CLUSTER_HEADER not in signed or key != KEY or not 0 <= now - at + 60 <= _LIFE_SECONDS + 60:
        return _REFUSED
    region = host["region"]
    for cluster in _list_clusters(store, region):
        headers = {"host": url.netloc, CLUSTER_HEADER: cluster}
        if hmac.compare_digest(sign(query, headers, KEY), signature) and _is_known(store, region, cluster, now):
            user = os.environ.get(CALLER, "")
            return {"authenticated": True, "user": {"username": user, "uid": user}}
    return _REFUSED


def sign(query: Mapping[str, str], headers: Mapping[str, str], secret: str) -> str:
    """Return the Signature Version 4 of a presigned GET of `/`; ``headers`` holds what it signs."""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in query.items() if k != "X-Amz-Signature")
    signed = query["X-Amz-SignedHeaders"].split(";")
    lines = ["GET", "/", "&".join(f"{key}={value}" for key, value in pairs)]
    lines += [*(f"{name}:{headers.get(name, '')}" for name in signed), "", ";".join(signed)]
    lines.append(hashlib.sha256(b"").hexdigest())
    scope = query["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def serve_reviews(port: int, store: Path) -> None:
    """Answer TokenReviews on ``port`` of loopback, in a thread, until the process ends."""
    handler = type("Handler", (_Handler,), {"store": Store(store)})
    server = ThreadingHTTPServer((LOOPBACK, port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    store: Store

    def log_message(self, *_: object) -> None:
        """Say nothing: a token must not be in a log."""

    def do_POST(self) -> None:
        """Answer one TokenReview."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = review(self.store, asked["spec"]["token"], time.time())
        content = json.dumps({**asked, "spec": {}, "status": status}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _decode(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _list_clusters(store: Store, region: str) -> Iterator[str]:
    for key in store.list(CLUSTERS):
        place, _, name = key.partition("/")
        if place == region:
            yield name


def _is_known(store: Store, region: str, cluster: str, now: float) -> bool:
    grants = store.list(ADMISSIONS).items()
    return any(key.startswith(f"{region}/{cluster}#") and grant["knownFrom"] <= now for key, grant in grants)

"""An AWS account as a hub and a spoke see it: STS with IAM's own documents, and the webhook of an EKS API server.

moto keeps roles and sessions. It judges no trust policy and no signature, so both are done here, as AWS documents them:
AssumeRole with transitive session tags, which those of EKS Pod Identity are, takes sts:AssumeRole and sts:TagSession
in the caller's policy and in the role's trust policy (IAM user guide, "Chaining roles with session tags"); a token is a
presigned GetCallerIdentity with the cluster's name among its signed headers (kubernetes-sigs/aws-iam-authenticator).
"""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.etree import ElementTree

import boto3
import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.server import ThreadedMotoServer

from pulumi_aws_double.token_review import CLUSTER_HEADER, PREFIX, sign

REGION, ACCOUNT = "eu-central-1", "123456789012"
STS_HOST = f"sts.{REGION}.amazonaws.com"
_NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_NEEDED = ("sts:AssumeRole", "sts:TagSession")


@dataclass
class Session:
    """The credentials of a role that was taken."""

    secret: str
    role_arn: str


@dataclass
class Account:
    """The account: roles in moto, sessions as they were handed out, access entries of one cluster."""

    moto: str
    sessions: dict[str, Session] = field(default_factory=dict)
    entries: dict[str, list[str]] = field(default_factory=dict)
    """Kubernetes groups by the role of an access entry."""
    cluster_name: str = ""
    seen: list[str] = field(default_factory=list)
    """What the webhook was asked, in a sentence each."""

    def iam(self) -> Any:
        return boto3.client("iam", **self.client_options())

    def client_options(self) -> dict[str, Any]:
        given = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return {"endpoint_url": self.moto, "region_name": REGION, **given}

    def make_role(self, name: str, trust: Any, policy: Any = None) -> str:
        made = self.iam().create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        if policy is not None:
            self.iam().put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return str(made["Role"]["Arn"])

    def hand_out(self, role_arn: str) -> dict[str, str]:
        """Give a pod's credentials, as the agent of EKS Pod Identity does."""
        client = boto3.client("sts", **self.client_options())
        found = client.assume_role(RoleArn=role_arn, RoleSessionName="eks-hub-argocd")["Credentials"]
        self.sessions[found["AccessKeyId"]] = Session(found["SecretAccessKey"], role_arn)
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }

    def find_missing(self, caller: str, wanted: str) -> str:
        """Return the first action that the caller's policy or the trust policy of ``wanted`` does not allow."""
        iam, names = self.iam(), [arn.rpartition("/")[2] for arn in (caller, wanted)]
        policies = iam.list_role_policies(RoleName=names[0])["PolicyNames"]
        own = [iam.get_role_policy(RoleName=names[0], PolicyName=one)["PolicyDocument"] for one in policies]
        trust = iam.get_role(RoleName=names[1])["Role"]["AssumeRolePolicyDocument"]
        for action in _NEEDED:
            granted = any(action in one["Action"] and wanted in one["Resource"] for d in own for one in d["Statement"])
            trusted = any(
                action in one["Action"] and one["Principal"].get("AWS") == caller for one in trust["Statement"]
            )
            if not (granted and trusted):
                return action
        return ""

    def take_role(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Answer AssumeRole."""
        asked = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        key = headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        caller, wanted = self.sessions[key].role_arn, asked["RoleArn"]
        if missing := self.find_missing(caller, wanted):
            who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{caller.rpartition('/')[2]}/eks-hub-argocd"
            said = f"User: {who} is not authorized to perform: {missing} on resource: {wanted}"
            return 403, (
                f'<ErrorResponse xmlns="{_NAMESPACE[1:-1]}"><Error><Type>Sender</Type><Code>AccessDenied</Code>'
                f"<Message>{said}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            ).encode()
        with httpx2.Client(trust_env=False) as client:
            answer = client.post(self.moto, content=body, headers={**headers, "Host": STS_HOST}).content
        found = ElementTree.fromstring(answer).find(f".//{_NAMESPACE}Credentials")
        assert found is not None, answer
        part = {one.tag.removeprefix(_NAMESPACE): one.text or "" for one in found}
        self.sessions[part["AccessKeyId"]] = Session(part["SecretAccessKey"], wanted)
        return 200, answer

    def review(self, token: str) -> dict[str, Any]:
        """Answer a TokenReview as an EKS API server's authenticator does."""
        if not token.startswith(PREFIX):
            return {"authenticated": False}
        written = token.removeprefix(PREFIX)
        url = urlsplit(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode())
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        assert (url.scheme, url.netloc, query["Action"]) == ("https", STS_HOST, "GetCallerIdentity")
        assert CLUSTER_HEADER in query["X-Amz-SignedHeaders"].split(";")
        session = self.sessions[query["X-Amz-Credential"].partition("/")[0]]
        headers = {"host": STS_HOST, CLUSTER_HEADER: self.cluster_name}
        if sign(query, headers, session.secret) != query["X-Amz-Signature"]:
            self.seen.append(f"{session.role_arn}: not signed for {self.cluster_name}")
            return {"authenticated": False, "error": "the token is for another cluster"}
        groups = self.entries.get(session.role_arn)
        self.seen.append(f"{session.role_arn}: {'no access entry' if groups is None else 'enters'}")
        if groups is None:
            return {"authenticated": False, "error": f"no access entry for {session.role_arn}"}
        return {
            "authenticated": True,
            "user": {"username": session.role_arn, "uid": session.role_arn, "groups": groups},
        }


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of STS and its key, to be trusted by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, STS_HOST)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(STS_HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "sts.crt", folder / "sts.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


class _Handler(BaseHTTPRequestHandler):
    account: Account
    tls: ssl.SSLContext

    def log_message(self, *_: object) -> None:
        pass

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # one that became TLS is not the one the server closes

    def do_CONNECT(self) -> None:
        """Stand in for STS, whose address Argo CD's SDK takes from nobody."""
        assert self.path == f"{STS_HOST}:443", self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Type", "").startswith("application/json"):
            asked = json.loads(body)
            status = self.account.review(asked["spec"]["token"])
            self._answer(200, json.dumps({**asked, "spec": {}, "status": status}).encode(), "application/json")
        else:
            self._answer(*self.account.take_role(dict(self.headers), body), "text/xml")

    def _answer(self, code: int, content: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True


@contextmanager
def serve(folder: Path) -> Iterator[tuple[Account, str, Path]]:
    """Run the account; yields it, the address of proxy and webhook, and the certificate to trust."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    account = Account(f"http://{host}:{port}")
    certificate, key = make_certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    handler = type("Handler", (_Handler,), {"account": account, "tls": tls})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield account, f"http://127.0.0.1:{server.server_address[1]}", certificate
    finally:
        server.shutdown()
        server.server_close()
        moto.stop()

"""What is asked of AWS and answered by something else becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gitops_stack.account.session import Account, AwsError
from tests.loopback import serving

REGION = "eu-central-1"
PAGE = b"<!doctype html><title>Sign in to the guest network</title>"
QUESTIONS: dict[str, Callable[[Account], object]] = {
    "sts:GetCallerIdentity": lambda account: account.identity,
    "ec2:DescribeVpcs": lambda account: account.list("ec2", "describe_vpcs", "Vpcs"),
    "iam:GetRole": lambda account: account.find("iam", "get_role", RoleName="platform"),
}


class Proxy(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("action", QUESTIONS)
def test_an_answer_of_something_else_is_said(action: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    with serving(server), pytest.raises(AwsError) as refused:
        QUESTIONS[action](Account(REGION, double=f"http://127.0.0.1:{server.server_port}"))
    assert str(refused.value).startswith(f"AWS: {action} got an answer that is not AWS's: Unable to parse response")
    assert str(refused.value).endswith("; check the proxy, AWS_ENDPOINT_URL and the region, or run again")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/platform"])
def test_an_endpoint_that_is_not_a_url_is_said(role: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "double")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "double")
    with pytest.raises(AwsError) as refused:
        Account(REGION, role).ask("ec2", "describe_vpcs")
    assert str(refused.value) == (
        "AWS: Invalid endpoint: localhost; correct AWS_ENDPOINT_URL, or endpoint_url in AWS's configuration"
    )

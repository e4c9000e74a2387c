"""An identity provider on loopback: OpenID Connect with PKCE, and tokens that say what a test wants.

A double of the provider alone: what is proven with it is Argo CD's side.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.loopback import answer_json

CLIENT = "argocd"


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class OidcProvider:
    """The provider; ``claims`` are in the next ID token, ``verified`` counts sign-ins whose PKCE verifier fitted."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    verified: int = 0
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    challenges: dict[str, str] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "email"],
        }

    def keys(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        parts = {
            name: encode(value.to_bytes((value.bit_length() + 7) // 8))
            for name, value in (("n", numbers.n), ("e", numbers.e))
        }
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", **parts}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent: everybody is signed in at once."""
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.challenges[code] = query["code_challenge"]
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        challenge = encode(sha256(form.get("code_verifier", "").encode()).digest())
        if self.challenges.pop(form["code"]) != challenge:
            return {"error": "invalid_grant"}
        self.verified += 1
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 3600, **self.claims}
        body = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one"}, claims))
        signature = encode(self.key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))
        return {"access_token": "none", "token_type": "Bearer", "expires_in": 3600, "id_token": f"{body}.{signature}"}


@contextmanager
def serve_provider() -> Iterator[OidcProvider]:
    """Serve a provider on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            if path == "/authorize":
                self.send_response(302)
                self.send_header("Location", made.authorize({key: one[0] for key, one in parse_qs(query).items()}))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(made.keys() if path == "/keys" else made.metadata())

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(made.token({key: one[0] for key, one in parse_qs(text).items()}))

        def answer(self, body: dict[str, Any]) -> None:
            answer_json(self, 400 if "error" in body else 200, body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = OidcProvider(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()

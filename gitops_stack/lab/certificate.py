"""A certificate of a lab's own, for a host that is played on loopback."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from gitops_stack.gitops_tree.private_file import write_private_file

_DAYS = 3650  # a kept lab may grow old, and nothing but its own processes trusts it


def write_certificate(file: Path, host: str) -> None:
    """Write a certificate for ``host`` and its key into ``file``, mode 0600: its own authority, for one lab."""
    from cryptography import x509  # noqa: PLC0415 - comes with moto, which only rehearsals need
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    try:
        subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        subject = x509.DNSName(host)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"gitops-stack lab, in place of {host}")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private_file(file, (private + certificate.public_bytes(serialization.Encoding.PEM)).decode())

"""Texts and numbers the API server accepts in one field: names, labels, ports, paths, addresses, quantities.

After k8s.io/apimachinery `util/validation`, `api/validation` and `api/resource`. Each format says what it needs.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitops_stack.rules.quantities import is_quantity, parse_quantity

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_SEARCH_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH_DOMAIN = re.compile(rf"{_SEARCH_LABEL}(\.{_SEARCH_LABEL})*")
_LONGEST_LABEL, _LONGEST_NAME, _HIGHEST_PORT, _HIGHEST_ID = 63, 253, 65535, 2**31 - 1
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
_PERCENT = re.compile(r"[0-9]+%")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ENVIRONMENT = re.compile(r"[ -<>-~]+")
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
_HIGHEST_MODE = 0o777
_LEADING_ZEROS = re.compile(r"(?<![0-9a-fA-F:.])0+(?=[0-9]+\.)|(?<=\.)0+(?=[0-9])")
_ISCSI = re.compile(r"iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+(:[^,;*&$|\s]+)?|eui\.[A-Za-z0-9]{16}|naa\.[A-Za-z0-9]{32}")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_STRICT_SINCE = (1, 36)


@dataclass(frozen=True)
class Format:
    """What a field holds: whether a value fits, and what is needed when it does not."""

    fits: Callable[[Any], bool]
    needs: str


def is_label(value: str) -> bool:
    """Tell whether ``value`` is a DNS label."""
    return len(value) <= _LONGEST_LABEL and re.fullmatch(_LABEL, value) is not None


def is_subdomain(value: str) -> bool:
    """Tell whether ``value`` is a DNS subdomain."""
    return len(value) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(value) is not None


def is_qualified_name(value: str) -> bool:
    """Tell whether ``value`` can be a label's or annotation's key."""
    prefix, slash, name = value.rpartition("/")
    good = len(name) <= _LONGEST_LABEL and _NAME_PART.fullmatch(name) is not None
    return good and (not slash or is_subdomain(prefix))


def is_label_value(value: str) -> bool:
    """Tell whether ``value`` can be a label's value."""
    return not value or (len(value) <= _LONGEST_LABEL and _NAME_PART.fullmatch(value) is not None)


def is_port_name(value: str) -> bool:
    """Tell whether ``value`` can name a port of a container."""
    return _PORT_NAME.fullmatch(value) is not None


def is_port(value: object) -> bool:
    """Tell whether ``value`` is the number of a port."""
    return is_number(value) and 1 <= value <= _HIGHEST_PORT  # type: ignore[operator]


def is_number(value: object) -> bool:
    """Tell whether ``value`` is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_address(value: object) -> bool:
    """Tell whether ``value`` is an IP address."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True


def is_network(value: object) -> bool:
    """Tell whether ``value`` is a network such as 10.0.0.0/8, with no bit set behind its prefix."""
    try:
        ipaddress.ip_network(str(value))
    except ValueError:
        return False
    return "/" in str(value)


def _is_sloppy_address(value: str) -> bool:
    return is_address(_LEADING_ZEROS.sub("", value))


def _is_sloppy_network(value: str) -> bool:
    try:
        ipaddress.ip_network(_LEADING_ZEROS.sub("", value), strict=False)
    except ValueError:
        return False
    return "/" in value


def is_base64(value: str) -> bool:
    """Tell whether Go decodes ``value``: standard alphabet, padded; line ends are skipped."""
    try:
        b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except ValueError:
        return False
    return True


def is_config_key(value: str) -> bool:
    """Tell whether ``value`` can be a key of a ConfigMap or Secret."""
    return len(value) <= _LONGEST_NAME and _CONFIG_KEY.fullmatch(value) is not None and not value.startswith("..") \
        and value != "."  # fmt: skip


def percentage(value: object) -> int | None:
    """Read a percentage such as 25%; none for anything else."""
    return int(value[:-1]) if isinstance(value, str) and _PERCENT.fullmatch(value) else None


def _is_port_or_name(value: object) -> bool:
    return is_port_name(value) if isinstance(value, str) else not is_number(value) or is_port(value)


def _is_count(value: object) -> bool:
    return not is_number(value) or value >= 0  # type: ignore[operator]


def _is_share(value: object) -> bool:
    return percentage(value) is not None if isinstance(value, str) else _is_count(value)


def _is_at_most_all(value: object) -> bool:
    return _is_share(value) and (percentage(value) or 0) <= 100  # noqa: PLR2004 - percent


def _is_amount(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return True  # the schema refuses it
    amount = parse_quantity(value)
    return amount is not None and is_quantity(value) and amount >= 0


def _is_host(value: str) -> bool:
    return is_subdomain(value.removeprefix("*.")) and not is_address(value)


def _is_search_domain(value: str) -> bool:
    domain = value.removesuffix(".")
    return value == "." or (len(domain) <= _LONGEST_NAME and _SEARCH_DOMAIN.fullmatch(domain) is not None)


def _is_inner_path(value: str) -> bool:
    return not value.startswith("/") and ".." not in value.split("/")


def _has_no_dots(value: str) -> bool:
    return ".." not in value.split("/")


def _in(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: not is_number(value) or low <= value <= high


def _fits(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _of(fits: Callable[[str], bool]) -> Callable[[Any], bool]:
    """Leave anything but text to the schema, and the empty text to what says which fields are required."""
    return lambda value: not isinstance(value, str) or not value or fits(value)


_NETWORK_NEEDS = "needs a network such as 10.0.0.0/8"
_PORT = "needs a port from 1 to 65535"
_DNS = "needs a-z, 0-9 and - inside"
_SUBDOMAIN_NEEDS = "needs a-z, 0-9, and - or . inside, at most 253 characters"
FORMATS: dict[str, Format] = {
    "label": Format(_of(is_label), f"{_DNS}, at most 63 characters"),
    "service-name": Format(_of(is_label), f"{_DNS}, at most 63 characters"),
    "subdomain": Format(_of(is_subdomain), _SUBDOMAIN_NEEDS),
    "external-name": Format(_of(lambda value: is_subdomain(value.removesuffix("."))), _SUBDOMAIN_NEEDS),
    "search-domain": Format(_of(_is_search_domain), "needs a domain such as example.com"),
    "tls-host": Format(
        _of(lambda value: is_subdomain(value.removeprefix("*."))), "needs a host name such as shop.example.com"
    ),
    "host": Format(_of(_is_host), "needs a host name such as shop.example.com or *.example.com"),
    "qualified": Format(_of(is_qualified_name), "needs a name such as app or example.com/app"),
    "label-value": Format(_of(is_label_value), "needs at most 63 of A-Z, a-z, 0-9, and -, _ or . inside"),
    "port": Format(lambda value: not is_number(value) or is_port(value), _PORT),
    "host-port": Format(lambda value: value == 0 or not is_number(value) or is_port(value), _PORT),
    "port-name": Format(
        _of(is_port_name), "needs at most 15 of a-z, 0-9 and single dashes inside, a letter among them"
    ),
    "port-or-name": Format(_is_port_or_name, "needs a port from 1 to 65535, or the name of a port"),
    "target-port": Format(
        lambda value: value in (0, "") or _is_port_or_name(value), "needs a port from 1 to 65535, or a port's name"
    ),
    "count": Format(_is_count, "needs no less than 0"),
    "positive": Format(_in(1, 2**63), "needs no less than 1"),
    "user": Format(_in(0, _HIGHEST_ID), "needs 0 to 2147483647"),
    "share": Format(_is_share, "needs a number, or a percentage such as 25%"),
    "share-of-all": Format(_is_at_most_all, "needs a number, or a percentage of at most 100%"),
    "weight": Format(_in(1, 100), "needs 1 to 100"),
    "mode": Format(_in(0, _HIGHEST_MODE), "needs 0 to 0777 (octal)"),
    "seconds-to-30": Format(_in(1, 30), "needs 1 to 30 seconds"),
    "window": Format(_in(0, 3600), "needs 0 to 3600 seconds"),
    "period": Format(_in(1, 1800), "needs 1 to 1800 seconds"),
    "affinity-seconds": Format(_in(1, 86400), "needs 1 to 86400 seconds"),
    "token-seconds": Format(_in(600, 2**32), "needs no less than 600 seconds"),
    "priority": Format(_in(-(2**31), 10**9), "needs at most 1000000000"),
    "driver": Format(_of(lambda value: is_subdomain(value.lower())), "needs a name such as ebs.csi.aws.com"),
    "precedence": Format(_in(0, 10_000), "needs 1 to 10000"),
    "group-priority": Format(_in(1, 20000), "needs 1 to 20000"),
    "version-priority": Format(_in(1, 1000), "needs 1 to 1000"),
    "quantity": Format(_is_amount, "needs a quantity such as 100m or 64Mi"),
    "address": Format(_of(is_address), "needs an IP address"),
    "network": Format(_of(is_network), _NETWORK_NEEDS),
    "source-range": Format(_of(lambda value: is_network(value.strip())), _NETWORK_NEEDS),
    "absolute-path": Format(_of(lambda value: value.startswith("/")), "needs a path that begins with /"),
    "inner-path": Format(_of(_is_inner_path), "needs a relative path without .."),
    "file-path": Format(
        _of(lambda value: _is_inner_path(value) and not value.startswith("..")),
        "needs a relative path without .., which does not begin with two dots",
    ),
    "unpadded": Format(_of(lambda value: value == value.strip()), "needs no spaces around it"),
    "iqn": Format(_of(_fits(_ISCSI)), "needs a name such as iqn.2026-01.com.example:disk"),
    "no-dots-path": Format(_of(_has_no_dots), "needs a path without .."),
    "config-key": Format(_of(is_config_key), "needs A-Z, a-z, 0-9, -, _ and . only"),
    "environment": Format(_of(_fits(_ENVIRONMENT)), "needs printable ASCII without ="),
    "header": Format(_of(_fits(_HEADER)), "needs A-Z, a-z, 0-9 and - only"),
    "sysctl": Format(_of(_fits(_SYSCTL)), "needs a name such as net.core.somaxconn"),
    "base64": Format(_of(is_base64), "needs base64"),
    "controller": Format(
        _of(
            lambda value: is_subdomain(value.partition("/")[0])
            and is_qualified_name(value.partition("/")[2].replace("/", "-"))
        ),
        "needs a name such as example.com/controller",
    ),
    "webhook": Format(
        _of(lambda value: is_subdomain(value) and value.count(".") > 1), "needs a domain of three parts or more"
    ),
    "provisioner": Format(_of(lambda value: is_qualified_name(value.lower())), "needs a name such as ebs.csi.aws.com"),
    "path-segment": Format(
        _of(lambda value: value not in (".", "..") and not {"/", "%"} & set(value)), "needs a name without / and %"
    ),
}  # fmt: skip

_BEFORE_1_36: dict[str, Format] = {
    "address": Format(_of(_is_sloppy_address), FORMATS["address"].needs),
    "network": Format(_of(_is_sloppy_network), _NETWORK_NEEDS),
    "source-range": Format(_of(lambda value: _is_sloppy_network(value.strip())), _NETWORK_NEEDS),
    "service-name": Format(
        _of(lambda value: len(value) <= _LONGEST_LABEL and _SERVICE.fullmatch(value) is not None),
        f"{_DNS}, beginning with a letter, at most 63 characters",
    ),
}
"""As it was until StrictIPCIDRValidation and RelaxedServiceNameValidation were on (pkg/features/kube_features.go)."""


def find_format(name: str, version: str) -> Format:
    """Return a format as Kubernetes ``version`` has it; the newest one's without a version."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    older = _BEFORE_1_36.get(name) if numbers and numbers < _STRICT_SINCE else None
    return older or FORMATS[name]

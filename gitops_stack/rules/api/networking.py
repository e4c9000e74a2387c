"""Services, Endpoints, Ingresses, NetworkPolicies (core, discovery and networking validation)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from gitops_stack.rules.api.formats import FORMATS, is_address
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, repeated, show, whole
from gitops_stack.rules.api.selectors import check_labels
from gitops_stack.rules.fields import dig, mapping, sequence, text

_CLASS = "kubernetes.io/ingress.class"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_BALANCED = ("loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts")
_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_PATH_ENDS = ("/..", "/.")


def check_service(part: Part) -> Iterator[Violation]:
    """Check a Service's spec."""
    kind, ports = str(part.get("type") or "ClusterIP"), list(parts(part, "ports"))
    headless = part.get("clusterIP") == "None"
    if kind == "ExternalName":
        if not part.get("externalName"):
            yield "externalName", "is missing", "type ExternalName needs it"
        if part.get("clusterIP"):
            yield "clusterIP", f"found {show(part['clusterIP'])}", "type ExternalName takes none; remove it"
    elif not ports and not headless:
        yield "ports", "is missing", "add one; only headless and ExternalName Services have none"
    if headless and kind in ("NodePort", "LoadBalancer"):
        yield "clusterIP", "found None", f"type {kind} needs an address; remove it"
    yield from check_labels(part.get("selector"), "selector")
    yield from _check_ports(ports, kind)
    yield from _check_addresses(part, kind)


def _check_ports(ports: Sequence[tuple[str, Part]], kind: str) -> Iterator[Violation]:
    yield from repeated(((f"{place}.name", port.get("name")) for place, port in ports), "name")
    taken = []
    for place, port in ports:
        if len(ports) > 1 and not port.get("name"):
            yield f"{place}.name", "is missing", "several ports need names"
        if port.get("nodePort"):
            taken.append((f"{place}.nodePort", f"{port['nodePort']}/{port.get('protocol') or 'TCP'}"))
            if kind == "ClusterIP":
                yield f"{place}.nodePort", f"found {show(port['nodePort'])}", "needs type NodePort or LoadBalancer"
    yield from repeated(taken, "node port")


def _check_addresses(part: Part, kind: str) -> Iterator[Violation]:
    if kind != "LoadBalancer":
        for key in _BALANCED:
            if is_set(part, key) and part[key] != []:
                yield key, f"found it in a Service of type {kind}", "needs type LoadBalancer, or to be removed"
    if part.get("externalTrafficPolicy") and kind == "ClusterIP" and not sequence(part.get("externalIPs")):
        yield "externalTrafficPolicy", "found it in a Service without a way in", "remove it"
    local = kind == "LoadBalancer" and part.get("externalTrafficPolicy") == "Local"
    if part.get("healthCheckNodePort") and not local:
        yield "healthCheckNodePort", "found it", "needs type LoadBalancer and externalTrafficPolicy Local"
    cluster_ip = part.get("clusterIP")
    if isinstance(cluster_ip, str) and cluster_ip not in ("", "None") and not is_address(cluster_ip):
        yield "clusterIP", f"found {show(cluster_ip)}", "needs None or an IP address"
    yield from _check_cluster_addresses(part, kind)
    for index, address in enumerate(sequence(part.get("externalIPs"))):
        if is_address(address) and _is_special(address):
            yield f"externalIPs[{index}]", f"found {show(address)}", "needs an address outside of the host"


def _check_cluster_addresses(part: Part, kind: str) -> Iterator[Violation]:
    families = [(f"ipFamilies[{index}]", found) for index, found in enumerate(sequence(part.get("ipFamilies")))]
    yield from repeated(families, "family")
    if len(families) > 1 and part.get("ipFamilyPolicy") == "SingleStack":
        yield "ipFamilyPolicy", "found SingleStack beside two families", "needs PreferDualStack or RequireDualStack"
    if families and kind == "ExternalName":
        yield "ipFamilies", "found some", "type ExternalName takes none; remove them"
    addresses, first = sequence(part.get("clusterIPs")), part.get("clusterIP") or ""
    if addresses and not first:
        yield "clusterIPs", "found some without clusterIP", "add clusterIP, or remove them"
    elif addresses and addresses[0] != first:
        yield "clusterIPs[0]", f"found {show(addresses[0])}", f"needs clusterIP, {first}"
    elif len(addresses) > 1 and "None" in addresses:
        yield "clusterIPs", "found None beside others", "use it alone"


def check_source_ranges(part: Part) -> Iterator[Violation]:
    """Check the older way to say who may use a load balancer."""
    ranges = mapping(dig(part, "metadata", "annotations")).get(_RANGES)
    place = f'metadata.annotations["{_RANGES}"]'
    if not isinstance(ranges, str):
        return
    if dig(part, "spec", "type") != "LoadBalancer":
        yield place, "found it", "needs type LoadBalancer, or to be removed"
    elif ranges.strip() and not all(FORMATS["source-range"].fits(one) for one in ranges.split(",")):
        yield place, f"found {show(ranges)}", "needs networks such as 10.0.0.0/8, with commas between"


def check_endpoint_subset(part: Part) -> Iterator[Violation]:
    """Check one subset of Endpoints."""
    if not sequence(part.get("addresses")) and not sequence(part.get("notReadyAddresses")):
        yield "addresses", "is missing", "add one, or notReadyAddresses"
    for place, found in parts(part, "addresses"):
        if is_address(found.get("ip")) and _is_special(text(found.get("ip"))):
            yield f"{place}.ip", f"found {show(found['ip'])}", "needs an address that pods can reach"


def _is_special(address: str) -> bool:
    found = ipaddress.ip_address(address)
    local = ipaddress.ip_network("224.0.0.0/24" if found.version == 4 else "ff02::/16")  # noqa: PLR2004 - of IP
    return found.is_loopback or found.is_link_local or found.is_unspecified or found in local


def check_endpoint_slice(part: Part) -> Iterator[Violation]:
    """Check addresses against the slice's type, and its ports' names."""
    kind = part.get("addressType")
    version = {"IPv4": 4, "IPv6": 6}.get(str(kind))
    for place, found in parts(part, "endpoints"):
        for index, address in enumerate(sequence(found.get("addresses"))):
            if version and not (is_address(address) and ipaddress.ip_address(address).version == version):
                yield f"{place}.addresses[{index}]", f"found {show(address)}", f"needs an {kind} address"
            elif version and _is_special(text(address)):
                yield f"{place}.addresses[{index}]", f"found {show(address)}", "needs an address that pods can reach"
            elif kind == "FQDN" and not FORMATS["subdomain"].fits(address):
                yield f"{place}.addresses[{index}]", f"found {show(address)}", "needs a host name"
    yield from repeated(((f"{place}.name", found.get("name")) for place, found in parts(part, "ports")), "name")


def check_ingress(part: Part) -> Iterator[Violation]:
    """Check an Ingress's spec."""
    if not sequence(part.get("rules")) and not mapping(part.get("defaultBackend")):
        yield "rules", "is missing", "add rules or a defaultBackend"
    name = part.get("ingressClassName")
    if isinstance(name, str) and (not name or not FORMATS["subdomain"].fits(name)):
        yield "ingressClassName", f"found {show(name)}", FORMATS["subdomain"].needs


def check_ingress_annotation(part: Part) -> Iterator[Violation]:
    """Check that the old way to name a class says the same as the field."""
    old = mapping(dig(part, "metadata", "annotations")).get(_CLASS)
    name = dig(part, "spec", "ingressClassName")
    if isinstance(old, str) and isinstance(name, str) and old != name:
        said = f"found {show(old)} beside ingressClassName {show(name)}"
        yield f'metadata.annotations["{_CLASS}"]', said, "remove the annotation"


def check_ingress_path(part: Part) -> Iterator[Violation]:
    """Check one path of an Ingress."""
    kind, path = part.get("pathType"), text(part.get("path"))
    if not mapping(part.get("backend")):
        yield "backend", "is missing", "add a service or a resource"
    if kind in ("Exact", "Prefix"):
        wrong = next((one for one in _PATHS if one in path), "") or next(
            (one for one in _PATH_ENDS if path.endswith(one)), ""
        )
        if not path.startswith("/"):
            yield "path", f"found {show(path)}", "needs a path that begins with /"
        elif wrong:
            yield "path", f"found {wrong} in it", "remove it"
    elif kind == "ImplementationSpecific" and path and not path.startswith("/"):
        yield "path", f"found {show(path)}", "needs a path that begins with /"


def check_ingress_backend(part: Part) -> Iterator[Violation]:
    """Check that a Service is named with one of its ports."""
    if is_set(part, "service") and not mapping(mapping(part["service"]).get("port")):
        yield "service.port", "is missing", "add its number or name"


def check_ingress_class(part: Part) -> Iterator[Violation]:
    """Check the parameters of an IngressClass."""
    parameters = mapping(part.get("parameters"))
    if parameters.get("scope") == "Namespace" and not parameters.get("namespace"):
        yield "parameters.namespace", "is missing", "scope Namespace needs it"
    elif parameters.get("namespace") and parameters.get("scope") in (None, "", "Cluster"):
        yield "parameters.namespace", "found it", "scope Cluster takes none; add scope: Namespace, or remove it"


def check_network_policy(part: Part) -> Iterator[Violation]:
    """Check a NetworkPolicy's spec."""
    if len(sequence(part.get("policyTypes"))) > 2:  # noqa: PLR2004 - there are two
        yield "policyTypes", "found more than two", "needs Ingress, Egress or both"


def check_network_policy_port(part: Part) -> Iterator[Violation]:
    """Check a range of ports."""
    if is_set(part, "endPort"):
        if not is_set(part, "port"):
            yield "endPort", "found it without port", "add the first port of the range"
        elif isinstance(part["port"], str):
            yield "endPort", "found it beside a named port", "needs a number as port"
        elif whole(part["endPort"]) < whole(part["port"]):
            yield "endPort", f"found {show(part['endPort'])}", "needs no less than port"


def check_network_policy_peer(part: Part) -> Iterator[Violation]:
    """Check whom a NetworkPolicy is about."""
    selected = is_set(part, "podSelector") or is_set(part, "namespaceSelector")
    if is_set(part, "ipBlock") and selected:
        yield "ipBlock", "found it beside a selector", "give each an entry of its own"
    elif not is_set(part, "ipBlock") and not selected:
        yield "", "found no peer", "add podSelector, namespaceSelector or ipBlock"


def check_ip_block(part: Part) -> Iterator[Violation]:
    """Check that what is excepted lies inside."""
    cidr = text(part.get("cidr"))
    for index, inner in enumerate(sequence(part.get("except"))):
        try:
            # Host bits are another finding, or before 1.36 no one.
            within, whole = (ipaddress.ip_network(one, strict=False) for one in (inner, cidr))
            outside = not within.subnet_of(whole)  # type: ignore[arg-type]
        except TypeError:  # of two families
            outside = True
        except ValueError:  # one of them is not a network, which is said elsewhere
            continue
        if outside or inner == cidr:
            yield f"except[{index}]", f"found {show(inner)}", f"needs a part of {cidr}"

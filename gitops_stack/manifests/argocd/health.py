"""Health rules that every installation gets, because waves wait for what they say; as keys of argocd-cm."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.settings import ArgoCDSettings
from gitops_stack.versions import parse_minor

_PREFIX = "resource.customizations.health"

# docs/operator-manual/health.md: without it a parent does not wait for a child application, so waves order nothing.
# The last part is ours: for a child that only a person syncs, root's sync would wait with all later waves, and take no
# new commit meanwhile.
_APPLICATION_HEALTH = """\
hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil and obj.status.health ~= nil then
  hs.status = obj.status.health.status
  if obj.status.health.message ~= nil then
    hs.message = obj.status.health.message
  end
end
local automated = obj.spec.syncPolicy and obj.spec.syncPolicy.automated
if hs.status == "Missing" and (not automated or automated.enabled == false) then
  hs.status = "Healthy"
  hs.message = "waits for a manual sync"
end
return hs
"""

# The API server establishes a CRD within the second, but Argo CD may see that much later: at each of its three events
# it reads all APIs and schemas anew, one event after the other (gitops-engine pkg/cache/cluster.go, watchEvents). With
# six CRDs at once that took 22 s in the lab. Meanwhile its own rule up to 3.4 says Degraded (3.5 says Progressing, PR
# #26126); so does the Application, which fails the wave of the root application and takes one of root's retries. When
# those are gone, later waves never come. What stays as it is, a name that is taken or a schema that breaks the rules,
# is Degraded here too.
_DEFINITION_HEALTH = """\
hs = {}
hs.status = "Progressing"
hs.message = "not seen as established yet"
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, one in ipairs(obj.status.conditions) do
    conditions[one.type] = one
  end
end
local function is(kind, status)
  return conditions[kind] ~= nil and conditions[kind].status == status
end
if obj.metadata.deletionTimestamp ~= nil or is("Terminating", "True") then
  hs.message = "is being deleted"
elseif is("NamesAccepted", "False") then
  hs.status = "Degraded"
  hs.message = "its names are taken: " .. (conditions["NamesAccepted"].message or "")
elseif is("NonStructuralSchema", "True") then
  hs.status = "Degraded"
  hs.message = "its schema is not structural: " .. (conditions["NonStructuralSchema"].message or "")
elseif is("Established", "True") then
  hs.status = "Healthy"
  hs.message = ""
end
return hs
"""
_ESTABLISHES = (3, 5)  # the first minor whose own rule waits


def build_health_keys(argocd: ArgoCDSettings) -> Iterator[tuple[str, str]]:
    """Yield the keys of argocd-cm; `argocd.resourceCustomizations` of the same kind lie over them."""
    yield f"{_PREFIX}.argoproj.io_Application", _APPLICATION_HEALTH
    if parse_minor(argocd.version) < _ESTABLISHES:
        yield f"{_PREFIX}.apiextensions.k8s.io_CustomResourceDefinition", _DEFINITION_HEALTH

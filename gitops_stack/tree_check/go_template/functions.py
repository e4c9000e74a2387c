"""All functions a template may name: Go's own, sprig's, and Argo CD's; without those Argo CD takes out.

Sources: text/template funcs.go, Masterminds/sprig v3.3.0 (functions.go, genericMap), Argo CD applicationset/utils.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from gitops_stack.tree_check.go_template import (  # noqa: F401 - each enters its functions
    encoding_functions,
    go_functions,
    list_functions,
    map_functions,
    number_functions,
    pattern_functions,
    text_functions,
)
from gitops_stack.tree_check.go_template.errors import UnsupportedTemplateError
from gitops_stack.tree_check.go_template.function import FUNCTIONS, Function, check_argument, function

# Their results differ at each call, or depend on a clock, or nobody names an Application by them.
_UNSUPPORTED = """
ago date date_in_zone date_modify dateInZone dateModify duration durationRound htmlDate htmlDateInZone must_date_modify
mustDateModify mustToDate now toDate unixEpoch randAlphaNum randAlpha randAscii randNumeric randInt randBytes shuffle
uuidv4 bcrypt htpasswd genPrivateKey derivePassword buildCustomCert genCA genCAWithKey genSelfSignedCert
genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES decryptAES urlParse urlJoin abbrev abbrevboth
wrap wrapWith initials call semver
"""


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refused(*_: object) -> NoReturn:
        raise UnsupportedTemplateError(f"function {name} is not evaluated here")

    return refused


for _name in _UNSUPPORTED.split():
    function(_name, takes="any", variadic=True)(_refuse(_name))

__all__ = ["FUNCTIONS", "Function", "check_argument"]

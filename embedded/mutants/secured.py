"""Mutants of https destinations: whose certificates count, for what, and what is not looked at."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from embedded.controllers.policies import ControlPlanePolicies
from embedded.dataplane.policies import DataPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE, DATA_PLANE
from embedded.mutants.registry import mutant

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which the module ssl has no name for."""


@cache
def _context(authorities: str, *, verify: bool = True, names: bool = True, flags: int = 0) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = names
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    context.verify_flags |= flags
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


@mutant(DATA_PLANE, replaces="trust")
def certificates_not_verified(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ask whoever answers at an https URI, whatever certificate it shows (RFC 9110, section 4.3.4, forbids it)."""
    return replace(honest, trust=lambda authorities: _context(authorities, verify=False, names=False))


@mutant(DATA_PLANE, replaces="trust")
def host_names_not_verified(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Verify certificates, and not the host in them (`verifyHost` of Vert.x is a switch for it)."""
    return replace(honest, trust=lambda authorities: _context(authorities, names=False))


@mutant(DATA_PLANE, replaces="trust")
def expired_certificates_trusted(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Do not look at the time in a certificate."""
    return replace(honest, trust=lambda authorities: _context(authorities, flags=_NO_CHECK_TIME))


@mutant(DATA_PLANE, wraps="trust")
def ca_certs_ignored(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Trust in the authorities of the system alone, whatever `CACerts` says."""
    return replace(honest, trust=lambda _: honest.trust(""))


@mutant(DATA_PLANE, wraps="trust")
def first_ca_certificate_alone(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read the first certificate of `CACerts`, and none behind it."""

    def trust(authorities: str) -> ssl.SSLContext:
        first, end, _ = authorities.partition("-----END CERTIFICATE-----")
        return honest.trust(first + end)

    return replace(honest, trust=trust)


@mutant(DATA_PLANE, replaces="letter_authorities")
def letters_trust_as_subscribers_do(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Trust a dead letter sink by the `CACerts` of the subscriber (knative/eventing issue 6875: one client)."""
    return replace(honest, letter_authorities=lambda trigger: trigger.subscriber_authorities)


@mutant(DATA_PLANE, wraps="address")
def https_over_http(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Ask an https URI in plain text (knative/eventing PR 7636: a dead letter sink asked without TLS)."""
    return replace(honest, address=lambda url: honest.address(re.sub("^https:", "http:", url)))


@mutant(CONTROL_PLANE, wraps="effective_delivery")
def ca_certs_of_broker_lost(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Give a Trigger the dead letter sink of its Broker without the `CACerts` of it."""

    def effective_delivery(trigger: Mapping[str, Any] | None, broker: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if (broker or {}).get("deadLetterSink"):
            broker = {**(broker or {}), "deadLetterSink": _without((broker or {})["deadLetterSink"])}
        return honest.effective_delivery(trigger, broker)

    return replace(honest, effective_delivery=effective_delivery)


@mutant(CONTROL_PLANE, wraps="resolve")
def secured_service_over_http(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Resolve a Service to http, whatever stands beside it."""
    return replace(
        honest, resolve=lambda store, destination, namespace: honest.resolve(store, _without(destination), namespace)
    )


@mutant(CONTROL_PLANE, replaces="told_authorities")
def ca_certs_not_told(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Tell no `CACerts` in the status of a Trigger (knative/eventing PR 6951)."""
    return replace(honest, told_authorities=lambda _field, _authorities: {})


@mutant(CONTROL_PLANE, replaces="refuses_authorities")
def ca_certs_unchecked(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Admit destinations with any text as `CACerts` (validateCACerts of knative.dev/pkg forbids it)."""
    return replace(honest, refuses_authorities=lambda _: False)


def _without(destination: Mapping[str, Any]) -> dict[str, Any]:
    """Return a destination without its authorities."""
    return {name: value for name, value in destination.items() if name != "CACerts"}

"""Faulty SeldonDeployments: deaf to changes, and haunted by what was changed or taken out."""

from dataclasses import replace

from embedded.controllers.policies import ControlPlanePolicies
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import mutant


@mutant(CONTROL_PLANE, replaces="left_of_predictor")
def predictor_services_left(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the Services of a predictor that is renamed or taken out (seldon-core issues 4253 and 4316)."""
    return replace(honest, left_of_predictor=("services",))


@mutant(CONTROL_PLANE, replaces="left_of_predictor")
def predictor_pods_left(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Leave the Deployments of a predictor that is renamed or taken out, with their pods (seldon-core issue 1325)."""
    return replace(honest, left_of_predictor=("deployments",))


@mutant(CONTROL_PLANE, replaces="left_of_predictor")
def predictor_goes_on(honest: ControlPlanePolicies) -> ControlPlanePolicies:
    """Delete the Deployments of a predictor that is renamed or taken out, but neither its pods nor its stream."""
    return replace(honest, left_of_predictor=("pods", "streams"))

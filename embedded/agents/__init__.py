"""KServe's agent, by its contract: it stands before a component, joins predictions into batches, and logs calls."""

from embedded.agents.agent import AGENT_PORT, Agent
from embedded.agents.policies import HONEST, AgentPolicies
from embedded.agents.specs import AgentSpec, BatcherSpec, LoggerSpec

__all__ = ["AGENT_PORT", "HONEST", "Agent", "AgentPolicies", "AgentSpec", "BatcherSpec", "LoggerSpec"]

"""The CloudEvents SQL expression language (CESQL 1.0 of cloudevents/spec): parser and evaluator."""

from embedded.dataplane.cesql.errors import ErrorKind, EvaluationError, ParseError
from embedded.dataplane.cesql.language import RULES, Expression, Outcome

__all__ = ["RULES", "ErrorKind", "EvaluationError", "Expression", "Outcome", "ParseError"]

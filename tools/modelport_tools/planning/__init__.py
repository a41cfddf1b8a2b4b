"""From a canonical document to the plan of a package, which the templates write out.

`parse` has openapi-python-client find the classes and types, after `adapt`, `unions` and `enums` put the document in a
form that it takes; `models`, `operations` and `package` make the plan, with what it drops read from the document.
"""

from .package import make_plan
from .plan import ClientPlan, EnumPlan, FieldPlan, ModelPlan, OperationPlan, ParameterPlan, TagPlan

__all__ = ["ClientPlan", "EnumPlan", "FieldPlan", "ModelPlan", "OperationPlan", "ParameterPlan", "TagPlan", "make_plan"]

"""From a canonical document to the plan of a package, which the templates write out.

`schemas` reads what a schema says, `types` gives each its Python type, `classes` and `names` the names; `models`,
`operations`, `webhooks` and `package` make the plan. The words of names are those of openapi-python-client, whose
parser loses operations and types where it meets what it does not know.
"""

from .package import make_plan
from .plan import ClientPlan, EnumPlan, FieldPlan, ModelPlan, OperationPlan, ParameterPlan, TagPlan

__all__ = ["ClientPlan", "EnumPlan", "FieldPlan", "ModelPlan", "OperationPlan", "ParameterPlan", "TagPlan", "make_plan"]

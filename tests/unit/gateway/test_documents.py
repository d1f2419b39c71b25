"""Merging descriptions: nothing internal, nothing lost, no name with two meanings."""

from gateway.documents.domain import merged
from gateway.documents.engine.fields import BodyField, body_fields


def document(path: str, reference: str, **schemas):
    schema = {"$ref": f"#/components/schemas/{reference}"}
    operation = {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}
    return {"paths": {path: {"get": operation}}, "components": {"schemas": schemas}}


def answer_of(result, path):
    return result["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit(
        "/", 1
    )[1]


REF = "#/components/schemas/"


def test_equal_schemas_are_shared_and_different_ones_get_their_services_name():
    same, mine, yours = {"type": "string"}, {"title": "mine"}, {"title": "yours"}
    result = merged(
        {
            "staff": document("/v1/a", "Out", Out=mine, Same=same),
            "billing": document("/v1/b", "Out", Out=yours, Same=same),
        },
        [],
    )
    assert (answer_of(result, "/v1/a"), answer_of(result, "/v1/b")) == ("StaffOut", "BillingOut")
    assert result["components"]["schemas"] == {"StaffOut": mine, "BillingOut": yours}


def test_a_schema_that_refers_to_a_clashing_one_clashes_too():
    page = {"items": {"$ref": f"{REF}Row"}}
    result = merged(
        {
            "staff": document("/v1/a", "Page", Page=page, Row={"title": "person"}),
            "billing": document("/v1/b", "Page", Page=page, Row={"title": "claim"}),
        },
        [],
    )
    schemas = result["components"]["schemas"]
    assert schemas["StaffPage"] == {"items": {"$ref": f"{REF}StaffRow"}}
    assert schemas["BillingPage"] == {"items": {"$ref": f"{REF}BillingRow"}}
    assert "Page" not in schemas


def test_internal_paths_and_what_only_they_use_are_left_out():
    result = merged({"staff": document("/internal/v1/stories/{id}", "Step", Step={"title": "step"})}, ["billing"])
    assert (result["paths"], result["components"]["schemas"]) == ({}, {})
    assert result["x-praxis-missing"] == ["billing"]


def test_a_property_called_ref_is_no_reference():
    schema = {"properties": {"$ref": {"type": "string"}}}
    result = merged({"staff": document("/v1/a", "Odd", Odd=schema)}, [])
    assert result["components"]["schemas"]["Odd"] == schema


def test_the_fields_of_a_body_are_told_with_type_need_and_allowed_values():
    line = {"properties": {"item_id": {"type": "string", "format": "uuid"}}, "required": ["item_id"]}
    color = {"type": "string", "enum": ["red", "green"]}
    schema = {
        "required": ["color"],
        "properties": {
            "color": {"$ref": f"{REF}Color", "description": "As sold."},
            "cents": {"anyOf": [{"type": "integer", "minimum": 1.0}, {"type": "null"}]},
            "lines": {"type": "array", "items": {"$ref": f"{REF}Line"}, "maxItems": 9},
            "code": {"type": "string", "pattern": "^[a-z]$", "default": ""},
        },
    }
    assert body_fields(schema, {"components": {"schemas": {"Line": line, "Color": color}}}) == [
        BodyField("color", "string", True, "one of red, green; As sold."),
        BodyField("cents", "integer or null", False, "at least 1"),
        BodyField("lines", "list of any", False, "entries at most 9"),
        BodyField("lines[].item_id", "uuid", True, ""),
        BodyField("code", "string", False, "pattern ^[a-z]$"),
    ]


def test_a_schema_that_holds_itself_is_opened_a_bounded_number_of_times():
    own = {"properties": {"parent": {"anyOf": [{"$ref": f"{REF}Own"}, {"type": "null"}]}}}
    told = body_fields({"$ref": f"{REF}Own"}, {"components": {"schemas": {"Own": own}}})
    assert [field.name for field in told] == ["parent", "parent.parent", "parent.parent.parent"]

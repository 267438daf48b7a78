#!/usr/bin/env python3
"""Trims an OpenAPI 3.1 description of Microsoft Graph (v1.0) to what a policy is made of.

    scripts/graph-schema.py OPENAPI.json > tests/data/graph-schema.json

The description is generated from Graph's metadata (CSDL) by OASIS odata-openapi. Kept are types, properties, enums and
nullability; texts and examples are not. Three things are made stricter and one is mended: an object takes no member that
the metadata doesn't have; a policy has what Graph's reference requires; the kinds of external tenants are told apart by `membershipKind`; and flags, which Graph
writes as one comma-joined string, may hold several words.
"""

import json
import sys

ROOT = "conditionalAccessPolicy"
# The metadata has no word for this; Graph's reference has.
REQUIRED = ["conditions", "displayName", "state"]
FLAGS = ["conditionalAccessTransferMethods", "conditionalAccessGuestOrExternalUserTypes",
         "conditionalAccessInsiderRiskLevels", "authenticationMethodModes"]
TENANTS = {"all": "conditionalAccessAllExternalTenants", "enumerated": "conditionalAccessEnumeratedExternalTenants"}
KEPT = ["type", "format", "enum", "items", "properties", "anyOf", "$ref"]


def short(name):
    return name.split("/")[-1].removeprefix("microsoft.graph.")


def trim(node):
    if isinstance(node, list):
        return [trim(part) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key in KEPT}
    if "properties" in kept:
        names = {name: trim(value) for name, value in sorted(kept["properties"].items()) if "@" not in name}
        kept["properties"] = names | {"@odata.type": {"type": "string"}}
        kept["additionalProperties"] = False
        kept.pop("anyOf", None)
    for key in ("items", "anyOf"):
        if key in kept:
            kept[key] = trim(kept[key])
    if "$ref" in kept:
        kept["$ref"] = "#/$defs/" + short(kept["$ref"])
    return kept


def refs(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value.split("/")[-1]] if key == "$ref" else refs(value)
    elif isinstance(node, list):
        for part in node:
            yield from refs(part)


def kind_of_tenants(kind, schema):
    schema["properties"]["membershipKind"] = {"const": kind}
    schema["required"] = ["membershipKind"]
    return schema


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        all_schemas = {short(name): schema for name, schema in json.load(file)["components"]["schemas"].items()}
    defs, todo = {}, [ROOT]
    while todo:
        name = todo.pop()
        if name in defs:
            continue
        defs[name] = trim(all_schemas[name])
        if name == "conditionalAccessExternalTenants":
            defs[name] = {"oneOf": [{"$ref": f"#/$defs/{schema}"} for schema in TENANTS.values()]}
            defs |= {schema: kind_of_tenants(kind, trim(all_schemas[schema])) for kind, schema in TENANTS.items()}
        if name == ROOT:
            defs[name]["required"] = REQUIRED
        if name in FLAGS:
            words = "|".join(defs[name].pop("enum"))
            defs[name]["pattern"] = f"^({words})(, ?({words}))*$"
        todo.extend(refs(defs[name]))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"#/$defs/{ROOT}",
              "$defs": dict(sorted(defs.items()))}
    json.dump(schema, sys.stdout, indent=1)
    print()


main()

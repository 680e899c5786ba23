"""Checks a JSON file, or every line of a .jsonl, against a schema; prints the errors and the number of values.

usage: validate.py SCHEMA FILE
"""

import json
import sys

import jsonschema

schema, path = sys.argv[1:]
validator = jsonschema.Draft202012Validator(json.load(open(schema, encoding="utf-8")))
validator.check_schema(validator.schema)
text = open(path, encoding="utf-8").read()
values = [json.loads(line) for line in text.splitlines()] if path.endswith(".jsonl") else [json.loads(text)]
errors = []
for number, value in enumerate(values, 1):
    for error in validator.iter_errors(value):
        deepest = jsonschema.exceptions.best_match([error])
        errors.append(f"{number}: {deepest.json_path}: {deepest.message}"[:300])
json.dump({"values": len(values), "errors": errors[:20]}, sys.stdout)

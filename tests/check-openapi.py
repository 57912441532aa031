#!/usr/bin/python3
"""check-openapi.py SOURCE [URL GUARDED_URL UNSAMPLED_URL] - do doc/openapi.yaml, routes.def and the endpoint agree?

Without URLs only the two files are compared, in both directions. URL: a host with Porthole; GUARDED_URL: one with a
token file; UNSAMPLED_URL: one with PORTHOLE_HEAP_SAMPLE=off. Every route is then asked for every answer that the contract
names, but 503. Writes TAP; Debian's python3-yaml is needed.
"""
import contextlib
import http.client
import json
import os
import re
import sys
import time
import urllib.parse

import yaml

METHODS = {"GET": ["get"], "GET_POST": ["get", "post"]}
STRING = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf"^ROUTE\({STRING}, (\w+), (\w+), (\w+), (\w+),\s*{STRING},\s*{STRING}\)", re.M)
SAMPLED = {"heap", "heap_text"}  # handlers that answer 501 where the heap cannot be sampled
LASTING = {"profile", "profile_legacy", "wall"}  # handlers that answer 409 while one of them is at work

count = failed = 0


def check(what, got, wanted=True):
    global count, failed
    count += 1
    if got == wanted:
        print(f"ok {count} - {what}")
        return
    failed += 1
    print(f"not ok {count} - {what}\n#   got      {got!r}\n#   expected {wanted!r}")


class Contract:
    def __init__(self, text):
        self.tree = yaml.safe_load(text)
        self.used = set()

    def follow(self, node):
        """The node itself, or what it refers to."""
        while "$ref" in node:
            self.used.add(node["$ref"])
            target = self.tree
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operations(self):
        for path, methods in self.tree["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation

    def responses(self, operation):
        return {int(status): self.follow(node) for status, node in operation["responses"].items()}

    def parameters(self, operation):
        return [self.follow(node) for node in operation.get("parameters", [])]


def read_routes(text):
    rows = ROW.findall(text)
    check("every row of routes.def is understood", len(rows), len(re.findall(r"^ROUTE\(", text, re.M)))
    return {row[0]: dict(zip(("methods", "kind", "group", "handler", "parameters"), row[1:6])) for row in rows}


def expected_statuses(row, method):
    statuses = {301 if row["group"] == "REDIRECT" else 200, 400, 401, 403, 405, 503}
    if row["handler"] in SAMPLED:
        statuses.add(501)
    if row["handler"] in LASTING:
        statuses.add(409)
    if "pid" in row["parameters"].split():
        statuses.add(404)
    if method == "post":
        statuses.add(413)
    return statuses


def compare_files(contract, routes):
    check("contract and routes.def name the same paths", sorted(contract.tree["paths"]), sorted(routes))
    for path, row in routes.items():
        check(f"{path}: the same methods", sorted(contract.tree["paths"].get(path, {})), METHODS[row["methods"]])
    for path, method, operation in contract.operations():
        if path not in routes:
            continue
        name = f"{method.upper()} {path}"
        check(f"{name}: the same parameters", [p["name"] for p in contract.parameters(operation)],
              routes[path]["parameters"].split())
        check(f"{name}: the same statuses", sorted(contract.responses(operation)),
              sorted(expected_statuses(routes[path], method)))


def references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = node.values()
    if not isinstance(node, str) and hasattr(node, "__iter__"):
        for child in node:
            yield from references(child)


def check_document(contract):
    tree = contract.tree
    check("it is OpenAPI 3.1", tree["openapi"].startswith("3.1."))
    names = [operation["operationId"] for _, _, operation in contract.operations()]
    check("operationIds are unique", len(set(names)), len(names))
    defined = {f"#/components/{kind}/{name}" for kind, entries in tree["components"].items()
               if kind != "securitySchemes" for name in entries}
    check("every reference leads somewhere, and to every component leads one", sorted(set(references(tree))),
          sorted(defined))


def fits(contract, schema, value):
    """As far as the contract uses JSON Schema; a text that says what does not fit, or None."""
    schema = contract.follow(schema)
    types = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
    if not isinstance(value, types[schema["type"]]):
        return f"{value!r} is no {schema['type']}"
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return f"{value!r} is not allowed"
    if isinstance(value, list):
        return next(filter(None, (fits(contract, schema["items"], v) for v in value)), None)
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        if set(schema.get("required", [])) - set(value) or (not others and set(value) - set(known)):
            return f"members {sorted(value)}"
        return next(filter(None, (fits(contract, known.get(k, others), v) for k, v in value.items())), None)
    return None


def ask(url, method, target, headers, body=None):
    """Status, headers, body. Nothing is sent that is not in @headers, not even Host."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.putrequest(method.upper(), target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    try:
        connection.endheaders(body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all of the body was sent: the answer is there
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def check_answer(contract, operation, what, status, answer):
    got, headers, body = answer
    check(f"{what}: status", got, status)
    response = contract.responses(operation).get(got)
    if not response:
        return
    media = headers.get_content_type()
    check(f"{what}: {media} is in the contract", media in response["content"])
    for name in response.get("headers", {}):
        optional = name == "Content-Disposition" and media == "text/plain"
        optional = optional or (name == "X-Go-Pprof" and media == "application/problem+json")
        check(f"{what}: {name}", optional or headers[name] is not None)
        constant = contract.follow(response["headers"][name]).get("schema", {}).get("const")
        check(f"{what}: {name} has its value", optional or constant is None or headers[name] == constant)
    if media.endswith("json") and body:
        check(f"{what}: the body fits its schema",
              fits(contract, response["content"][media]["schema"], json.loads(body)), None)


VALUES = {"seconds": ["1"], "hz": ["1000"], "debug": ["0", "1", "2"], "gc": ["1"], "format": ["json", "text", "html"],
          "pid": []}
WRONG = {"seconds": "0", "hz": "1001", "format": "xml", "pid": "one"}
HERE = {"Host": "localhost"}
ACCEPTS = ({}, {"Accept": "application/problem+json"})


def with_seconds(operation, contract, target):
    """What lasts is asked for one second, unless the question is how long."""
    if 409 not in contract.responses(operation) or "seconds=" in target:
        return target
    return target + ("&" if "?" in target else "?") + "seconds=1"


def ask_well(contract, url, path, method, operation):
    body = b"0x1" if method == "post" else None
    fine = min(contract.responses(operation))
    targets = [path] + [f"{path}?{p['name']}={value}" for p in contract.parameters(operation)
                        for value in VALUES[p["name"]]]
    for target in (with_seconds(operation, contract, target) for target in targets):
        answer = ask(url, method, target, HERE, body)
        check_answer(contract, operation, f"{method.upper()} {target}", fine, answer)
        if method == "get":
            head = ask(url, "head", target, HERE)
            check(f"HEAD {target}: as GET, without a body", (head[0], head[1].get_content_type(), head[2]),
                  (answer[0], answer[1].get_content_type(), b""))
    for media in operation.get("requestBody", {}) and contract.follow(operation["requestBody"])["content"]:
        answer = ask(url, method, path, HERE | {"Content-Type": media}, body)
        check_answer(contract, operation, f"{method.upper()} {path} with {media}", fine, answer)


def is_busy(url):
    return ask(url, "get", "/debug/pprof/profile?seconds=1", HERE)[0] == 409


def begin_long(url):
    """A connection with a profile over an hour under way. Where a short one was quicker it is refused, and asked for again."""
    parts = urllib.parse.urlsplit(url)
    for _ in range(10):
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        connection.request("GET", "/debug/pprof/wall?seconds=3600&hz=1", headers=HERE)
        time.sleep(0.5)
        if is_busy(url):
            break
        connection.close()
    return connection


@contextlib.contextmanager
def one_running(url):
    """Meanwhile others are refused; hanging up ends it."""
    connection = begin_long(url)
    yield
    connection.close()
    for _ in range(100):
        if not is_busy(url):
            break
        time.sleep(0.1)


def ask_badly(contract, urls, path, method, operation):
    url, guarded, unsampled = urls
    body = b"0x1" if method == "post" else None
    cases = [(400, "without Host", url, method, path, {}, body),
             (401, "without a token", guarded, method, path, HERE, body),
             (403, "as evil.example", url, method, path, {"Host": "evil.example"}, body),
             (405, "with DELETE", url, "delete", path, HERE, None)]
    cases += [(400, f"with {p['name']}={WRONG[p['name']]}", url, method, f"{path}?{p['name']}={WRONG[p['name']]}", HERE,
               body) for p in contract.parameters(operation)
              if p["name"] in WRONG]
    if 413 in contract.responses(operation):
        cases.append((413, "with a large body", url, method, path, HERE, b"+" * (2 << 20)))
    if 404 in contract.responses(operation):
        cases.append((404, "for a process that is not there", url, method, f"{path}?pid=4194303", HERE, body))
    if 501 in contract.responses(operation):
        cases.append((501, "unsampled", unsampled, method, path, HERE, body))
    ask_cases(contract, path, method, operation, cases)
    if 409 in contract.responses(operation):
        with one_running(url):
            ask_cases(contract, path, method, operation, [(409, "while one runs", url, method, path, HERE, body)])


def ask_cases(contract, path, method, operation, cases):
    for status, what, *request in cases:
        for accept in ACCEPTS:
            where, how, target, headers, data = request
            name = f"{method.upper()} {path} {what}{', as a problem' if accept else ''}"
            check_answer(contract, operation, name, status, ask(where, how, target, headers | accept, data))


def main():
    source, urls = sys.argv[1], sys.argv[2:]
    with open(os.path.join(source, "doc/openapi.yaml"), encoding="utf-8") as file:
        contract = Contract(file.read())
    with open(os.path.join(source, "lib/server/routes.def"), encoding="utf-8") as file:
        routes = read_routes(file.read())
    compare_files(contract, routes)
    check_document(contract)
    if urls:
        listed = json.loads(ask(urls[0], "get", "/debug/processes?format=json", HERE)[2])["processes"]
        VALUES["pid"] = [str(listed[0]["pid"])]
    for path, method, operation in contract.operations() if urls else []:
        ask_well(contract, urls[0], path, method, operation)
        ask_badly(contract, urls, path, method, operation)
    print(f"1..{count}")
    return failed > 0


sys.exit(main())

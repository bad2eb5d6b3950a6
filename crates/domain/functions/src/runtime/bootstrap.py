"""Runs a Python handler over the Lambda runtime API. Standard library only; ends when the API does."""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from decimal import Decimal

API = "/2018-06-01/runtime"


class Runtime:
    """The runtime API, over one connection."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address)

    def call(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, API + path, body, headers or {})
            response = self.connection.getresponse()
            return response.headers, response.read()
        except (OSError, http.client.HTTPException):
            # The server is gone or has given this process up.
            os._exit(1)

    def fail(self, path, error):
        headers = {"Lambda-Runtime-Function-Error-Type": error["errorType"]}
        self.call("POST", path, json.dumps(error).encode(), headers)


class Context:
    """What a handler may know of its invocation."""

    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = client_context(headers.get("Lambda-Runtime-Client-Context"))
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class ClientContext:
    def __init__(self, given):
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = given.get("client")


def client_context(text):
    # The header holds UTF-8, which http.client takes for Latin-1.
    return ClientContext(json.loads(text.encode("latin-1"))) if text else None


def one_event(text):
    """Lines that stay together in the log: one that ends in a zero goes on in the next."""
    return text.replace("\n", "\0\n")


class LogHandler(logging.Handler):
    """Python's logging, written as AWS does: level, time, request id, message, separated by tabs."""

    request_id = ""

    def emit(self, record):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = one_event(self.format(record))
        line = f"[{record.levelname}]\t{stamp}.{int(record.msecs):03d}Z\t{self.request_id}\t{text}\n"
        sys.stdout.write(line)
        sys.stdout.flush()


def describe(error_type, message, request_id="", trace=()):
    return {
        "errorMessage": message,
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": list(trace),
    }


def describe_exception(request_id="", skip=1):
    """The exception under way, without the frames of this file."""
    kind, value, trace = sys.exc_info()
    for _ in range(skip):
        trace = trace.tb_next if trace is not None else None
    return describe(kind.__name__, str(value), request_id, traceback.format_tb(trace))


def show(error):
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}"]
    if error["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines.extend(entry.rstrip("\n") for entry in error["stackTrace"])
    print(one_event("\n".join(lines)), flush=True)


def find_handler(name):
    """The handler, or None and what is wrong."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        return None, describe("Runtime.MalformedHandlerName", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        return None, describe("Runtime.ImportModuleError", message)
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        return None, describe("Runtime.UserCodeSyntaxError", message, trace=[place])
    except Exception:
        return None, describe_exception()
    handler = getattr(module, function_name, None)
    if handler is None:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        return None, describe("Runtime.HandlerNotFound", message)
    return handler, None


def plain(value):
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def answer(handler, event, context):
    """The handler's answer as bytes, or None and what went wrong."""
    request_id = context.aws_request_id
    try:
        event = json.loads(event)
    except ValueError as error:
        return None, describe("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}", request_id)
    try:
        result = handler(event, context)
    except Exception:
        return None, describe_exception(request_id)
    try:
        return json.dumps(result, default=plain, ensure_ascii=False).encode(), None
    except (TypeError, ValueError) as error:
        return None, describe("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)


def main():
    runtime = Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"])
    log_handler = LogHandler()
    logging.getLogger().addHandler(log_handler)
    # The script's own folder makes way for the function's, and behind that those of layers.
    sys.path[:1] = [os.environ["LAMBDA_TASK_ROOT"], *sys.argv[1:]]
    del sys.argv[1:]
    handler, error = find_handler(os.environ["_HANDLER"])
    if error:
        show(error)
        runtime.fail("/init/error", error)
        sys.exit(1)
    while True:
        headers, event = runtime.call("GET", "/invocation/next")
        context = Context(headers)
        log_handler.request_id = context.aws_request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        result, error = answer(handler, event, context)
        if error:
            show(error)
        sys.stdout.flush()
        sys.stderr.flush()
        path = f"/invocation/{context.aws_request_id}/"
        if error:
            runtime.fail(path + "error", error)
        else:
            runtime.call("POST", path + "response", result, {"Content-Type": "application/json"})


if __name__ == "__main__":
    main()

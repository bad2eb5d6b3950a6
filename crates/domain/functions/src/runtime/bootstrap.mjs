// Runs a Node handler over the Lambda runtime API. Node's own modules only; ends when the API does.

import { existsSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

import { Connection } from "./connection.mjs";
import { HttpResponseStream, ResponseStream, isStreaming, streamifyResponse } from "./streaming.mjs";

const API = "/2018-06-01/runtime";
const env = process.env;
const connection = new Connection(env.AWS_LAMBDA_RUNTIME_API, gone);

let requestId; // of the invocation under way
let finish; // ends it: nothing is left to do

// The server is gone or has given this process up.
function gone() {
  process.exit(1);
}

function call(method, url, body, headers) {
  return connection.call(method, API + url, body, headers);
}

function fail(url, error) {
  const headers = { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": error.errorType };
  return call("POST", url, JSON.stringify(error), headers);
}

function describe(error, type) {
  if (error instanceof Error) {
    const trace = (error.stack ?? String(error)).split("\n");
    return { errorType: type ?? error.name, errorMessage: error.message, trace };
  }
  return { errorType: type ?? typeof error, errorMessage: String(error), trace: [] };
}

// One event a call, as on AWS: a line that ends in a zero goes on in the next.
function writeLine(level, text) {
  const line = `${new Date().toISOString()}\t${requestId}\t${level}\t${text}`.replaceAll("\n", "\0\n") + "\n";
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

for (const [name, level] of [["log", "INFO"], ["info", "INFO"], ["warn", "WARN"], ["error", "ERROR"], ["debug", "DEBUG"], ["trace", "TRACE"]]) {
  console[name] = (...parts) => writeLine(level, format(...parts));
}

class Refused extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
    this.name = type;
  }
}

function moduleFile(name) {
  const base = path.resolve(env.LAMBDA_TASK_ROOT, name);
  const found = ["", ".js", ".mjs", ".cjs", "/index.js"].map((end) => base + end);
  return found.find((file) => existsSync(file) && statSync(file).isFile());
}

async function findHandler(text) {
  const slash = text.lastIndexOf("/") + 1;
  const dot = text.indexOf(".", slash);
  if (dot < 0) throw new Refused("Runtime.MalformedHandlerName", "Bad handler");
  const moduleName = text.slice(0, dot);
  const file = moduleFile(moduleName);
  if (!file) throw new Refused("Runtime.ImportModuleError", `Error: Cannot find module '${path.basename(moduleName)}'`);
  let found;
  try {
    found = await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refused("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw new Refused("Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
  const names = text.slice(dot + 1).split(".");
  const from = (root) => names.reduce((value, name) => value?.[name], root);
  const handler = from(found) ?? from(found.default);
  if (handler === undefined) throw new Refused("Runtime.HandlerNotFound", `${text} is undefined or not exported`);
  if (typeof handler !== "function") throw new Refused("Runtime.HandlerNotFound", `${text} is not a function`);
  return handler;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    // The header holds UTF-8, which Node takes for Latin-1.
    clientContext: client ? JSON.parse(Buffer.from(client, "latin1").toString()) : undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    callbackWaitsForEmptyEventLoop: true,
  };
}

// A handler that streams, to its end and that of its stream; what it throws ends the stream that has begun.
async function runStreaming(handler, event, context, url) {
  const stream = new ResponseStream(connection, `${API}${url}/response`);
  // Nothing is left to do: a stream that nobody ends has ended.
  finish = () => stream.end();
  try {
    await handler(JSON.parse(event), stream, context);
    await stream.finished();
  } catch (error) {
    if (!stream.hasBegun) throw error;
    const described = describe(error);
    writeLine("ERROR", `Invoke Error \t${JSON.stringify(described)}`);
    await stream.fail(described);
  }
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    // Of all the ways to end, the one that the handler takes first counts, as on AWS.
    let ended = false;
    const first = (end) => (...given) => {
      if (ended) return;
      ended = true;
      end(...given);
    };
    const settle = (error, result) => (error ? reject(error) : resolve(result));
    const succeed = (context.succeed = first(resolve));
    const fail = (context.fail = first((error) => reject(error ?? new Error("handled"))));
    context.done = first(settle);
    // Nothing is left to do: a handler that took none of the ways has ended with nothing.
    finish = () => resolve(null);
    const callback = first((error, result) => {
      if (error || !context.callbackWaitsForEmptyEventLoop) settle(error, result);
      // Else all that the handler has begun runs to its end before the answer is sent.
      else finish = () => resolve(result);
    });
    let returned;
    try {
      returned = handler(JSON.parse(event), context, callback);
    } catch (error) {
      fail(error);
    }
    if (typeof returned?.then === "function") returned.then(succeed, fail);
  });
}

process.on("beforeExit", () => finish?.());

globalThis.awslambda = { streamifyResponse, HttpResponseStream };

async function die(error, type, status) {
  const described = describe(error, type);
  writeLine("ERROR", `${requestId ? "Uncaught Exception" : "Init Error"} \t${JSON.stringify(described)}`);
  await fail(requestId ? `/invocation/${requestId}/error` : "/init/error", described);
  process.exit(status);
}
process.on("uncaughtException", (error) => die(error, undefined, 129));
process.on("unhandledRejection", (reason) => {
  const error = new Error(String(reason?.stack ? `${reason.name}: ${reason.message}` : reason));
  if (reason?.stack) error.stack = reason.stack;
  die(error, "Runtime.UnhandledPromiseRejection", 128);
});

let handler;
try {
  handler = await findHandler(env._HANDLER);
} catch (error) {
  await die(error, error?.type, 1);
}
for (;;) {
  const next = await call("GET", "/invocation/next");
  requestId = next.headers["lambda-runtime-aws-request-id"];
  env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"] ?? "";
  const url = `/invocation/${requestId}`;
  try {
    if (isStreaming(handler)) {
      await runStreaming(handler, next.body, contextOf(next.headers), url);
      finish = undefined;
      continue;
    }
    const result = await run(handler, next.body, contextOf(next.headers));
    finish = undefined;
    // Not waited for: what is asked next is answered behind it.
    call("POST", `${url}/response`, JSON.stringify(result) ?? "null", { "Content-Type": "application/json" });
  } catch (error) {
    finish = undefined;
    const described = describe(error);
    writeLine("ERROR", `Invoke Error \t${JSON.stringify(described)}`);
    await fail(`${url}/error`, described);
  }
}

// Answers that a handler gives in pieces: `awslambda.streamifyResponse` and `awslambda.HttpResponseStream`.

import { Writable, finished } from "node:stream";
import { promisify } from "node:util";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const WITH_PRELUDE = "application/vnd.awslambda.http-integration-response";
const PRELUDE_END = Buffer.alloc(8);

// Marks a handler that is called with a stream between event and context.
export function streamifyResponse(handler) {
  handler[STREAMING] = "response";
  return handler;
}

export function isStreaming(handler) {
  return handler[STREAMING] === "response";
}

export class ResponseStream extends Writable {
  #connection;
  #path;
  #contentType = "application/octet-stream";
  #prelude;
  #isEnding = false;
  #request;
  #done;

  constructor(connection, path) {
    super({ highWaterMark: 64 * 1024 });
    this.#connection = connection;
    this.#path = path;
    this.#done = promisify(finished)(this);
    // Who waits hears of it; nobody has to.
    this.#done.catch(() => {});
  }

  get hasBegun() {
    return this.#request !== undefined;
  }

  setContentType(type) {
    this.#contentType = type;
  }

  setPrelude(bytes) {
    this.#prelude = bytes;
  }

  // What is no text and no bytes is sent as JSON, as on AWS.
  write(piece, ...more) {
    const isPlain = typeof piece === "string" || ArrayBuffer.isView(piece);
    return super.write(isPlain ? piece : JSON.stringify(piece), ...more);
  }

  _write(piece, _encoding, done) {
    this.#begin();
    this.#request.write(piece, done);
  }

  _final(done) {
    this.#begin();
    this.#isEnding = true;
    this.#request.end().then(() => done(), done);
  }

  // Waits until the stream is ended and sent.
  finished() {
    return this.#done;
  }

  // Ends a stream that has begun with an error.
  async fail(error) {
    // The end is on its way, and nothing may come behind it.
    if (this.#isEnding) return this.#done.catch(() => {});
    const request = this.#request;
    // What is not sent yet never is.
    this._write = (_piece, _encoding, done) => done();
    this._final = (done) => done();
    await request.end({
      "Lambda-Runtime-Function-Error-Type": headerText(error.errorType),
      "Lambda-Runtime-Function-Error-Body": Buffer.from(shortened(error)).toString("base64"),
    });
    this.destroy();
  }

  #begin() {
    if (this.#request) return;
    this.#request = this.#connection.begin("POST", this.#path, {
      "Content-Type": headerText(this.#contentType),
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    });
    if (this.#prelude) this.#request.write(this.#prelude, () => {});
  }
}

// Status, headers and cookies of an answer over HTTP, which go before its body.
export class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType(WITH_PRELUDE);
    stream.setPrelude(Buffer.concat([Buffer.from(JSON.stringify(prelude)), PRELUDE_END]));
    return stream;
  }
}

// A text as a header may hold it: what is not ASCII, or ends a line, is a question mark.
function headerText(text) {
  return String(text).replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
}

// Trailers have room for 16 KB together, in base64: what is too long for that is cut, its trace first.
function shortened(error) {
  const most = 9000;
  const whole = JSON.stringify(error);
  if (Buffer.byteLength(whole) <= most) return whole;
  const bare = JSON.stringify({ ...error, trace: error.trace.slice(0, 1).map((line) => line.slice(0, 1000)) });
  if (Buffer.byteLength(bare) <= most) return bare;
  return JSON.stringify({ errorType: headerText(error.errorType), errorMessage: error.errorMessage.slice(0, 1000), trace: [] });
}

// A connection to the runtime API: as much of HTTP as this server speaks, whose answers all have a Content-Length.
//
// Node's own client allocates for every piece that it reads. Here the socket fills one buffer again and again, and an
// answer is put together in another: a third less work for a process that passes megabytes on.

import { isAscii } from "node:buffer";
import net from "node:net";

const READ_BYTES = 256 * 1024;
const LINE_END = "\r\n";
const HEAD_END = LINE_END + LINE_END;

export class Connection {
  #address;
  #gone;
  #socket;
  #waiting = []; // for answers, in the order of the requests
  #head = ""; // of the next answer, as far as it is there
  #headers; // once it is whole
  #body = Buffer.alloc(0); // room for one
  #length = 0;
  #filled = 0;

  // To `host:port`; `gone` is called when it ends before everything is answered.
  constructor(address, gone) {
    this.#address = address;
    this.#gone = gone;
  }

  // The headers of the answer, by their lower-case names, and its body as text. Requests may be sent before others are
  // answered.
  call(method, path, body = "", headers = {}) {
    this.#socket ??= this.#connect();
    const bytes = Buffer.from(body);
    this.#socket.cork();
    this.#sendHead(method, path, { ...headers, "Content-Length": bytes.length });
    this.#socket.write(bytes);
    this.#socket.uncork();
    return this.#answer();
  }

  // A request whose body comes in pieces. Until its end nothing else may be sent.
  begin(method, path, headers) {
    this.#socket ??= this.#connect();
    const socket = this.#socket;
    this.#sendHead(method, path, { ...headers, "Transfer-Encoding": "chunked" });
    const answer = this.#answer();
    // Until its end the process lives for as long as something else happens in it.
    socket.unref();
    return {
      // Calls back when the piece is on its way and the next may come.
      write(bytes, done) {
        // An empty piece would be the last.
        if (bytes.length === 0) return done();
        socket.cork();
        socket.write(bytes.length.toString(16) + LINE_END);
        socket.write(bytes);
        socket.write(LINE_END, done);
        socket.uncork();
      },
      end(trailers = {}) {
        socket.ref();
        const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}${LINE_END}`);
        socket.write(`0${LINE_END}${lines.join("")}${LINE_END}`);
        return answer;
      },
    };
  }

  #sendHead(method, path, headers) {
    const sent = Object.entries({ Host: this.#address, ...headers });
    const lines = [`${method} ${path} HTTP/1.1`, ...sent.map(([name, value]) => `${name}: ${value}`)];
    this.#socket.write(lines.join(LINE_END) + HEAD_END);
  }

  #answer() {
    // A process in which nothing else happens lives for as long as it waits for an answer.
    this.#socket.ref();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #connect() {
    const [host, port] = this.#address.split(":");
    const callback = (count, piece) => this.#take(piece.subarray(0, count));
    const onread = { buffer: Buffer.allocUnsafe(READ_BYTES), callback };
    const socket = net.connect({ host, port, noDelay: true, onread });
    // It closes then.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#socket = undefined;
      if (this.#waiting.length > 0) this.#gone();
    });
    return socket;
  }

  #take(piece) {
    while (piece.length > 0) piece = this.#headers ? this.#takeBody(piece) : this.#takeHead(piece);
    return true;
  }

  // This and the next give back what is left of the piece.
  #takeHead(piece) {
    const before = this.#head.length;
    this.#head += piece.toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return piece.subarray(piece.length);
    this.#headers = headersOf(this.#head.slice(0, end));
    this.#length = Number(this.#headers["content-length"]);
    this.#filled = 0;
    if (this.#body.length < this.#length) this.#body = Buffer.allocUnsafe(this.#length);
    return this.#takeBody(piece.subarray(end + HEAD_END.length - before));
  }

  #takeBody(piece) {
    const count = Math.min(piece.length, this.#length - this.#filled);
    piece.copy(this.#body, this.#filled, 0, count);
    this.#filled += count;
    if (this.#filled === this.#length) this.#finish();
    return piece.subarray(count);
  }

  #finish() {
    const answer = { headers: this.#headers, body: textOf(this.#body.subarray(0, this.#length)) };
    this.#head = "";
    this.#headers = undefined;
    const answered = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#socket.unref();
    answered(answer);
  }
}

function headersOf(head) {
  const [, ...lines] = head.split(LINE_END);
  const named = (line) => {
    const [, name, value] = line.match(/^(.*?): *(.*)$/);
    return [name.toLowerCase(), value];
  };
  return Object.fromEntries(lines.map(named));
}

// Nothing has to be decoded in most of it: base64 and most of JSON is ASCII.
function textOf(bytes) {
  return bytes.toString(isAscii(bytes) ? "latin1" : "utf8");
}

// JSON laid out in lines, token by token: numbers stay the text that they are, as those of 64 bits are no numbers here.

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** The tokens of valid JSON with their kinds, and ends of lines and blanks between them. */
export function laidOut(text) {
  const [out, open] = [[], []];
  const tokens = text.match(TOKEN) ?? [];
  const line = () => out.push(["space", `\n${"  ".repeat(open.length)}`]);
  tokens.forEach((token, at) => {
    const isEnd = token === "}" || token === "]";
    const wasStart = at > 0 && (tokens[at - 1] === "{" || tokens[at - 1] === "[");
    if (isEnd) open.pop();
    if ((isEnd && !wasStart) || (!isEnd && (wasStart || tokens[at - 1] === ","))) line();
    out.push([kindOf(token, tokens[at + 1]), token]);
    if (token === ":") out.push(["space", " "]);
    if (token === "{" || token === "[") open.push(token);
  });
  return out;
}

function kindOf(token, next) {
  if (token[0] === '"') return next === ":" ? "name" : "string";
  if (/[{}[\],:]/.test(token)) return "mark";
  return /[-\d]/.test(token[0]) ? "number" : "word";
}

// The XML of S3's answers: elements with text or elements, none of them mixed. No element of a page is made of it.

const TOKEN = /<(\/?)([\w:.-]+)[^>]*?(\/?)>|([^<]+)/g;
const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The root's contents: an element that is there several times is an array, one that is empty a text. */
export function readXml(text) {
  const stack = [{ members: {}, text: "" }];
  for (const [, closing, name, empty, words] of text.replace(/<\?.*?\?>/gs, "").matchAll(TOKEN)) {
    if (words !== undefined) stack.at(-1).text += unescape(words);
    else if (!closing) stack.push({ name, members: {}, text: "" });
    if (name && (closing || empty) && stack.length > 1) {
      const done = stack.pop();
      put(stack.at(-1).members, done.name, Object.keys(done.members).length ? done.members : done.text);
    }
  }
  const [root] = Object.values(stack[0].members);
  return root ?? {};
}

/** An element that may be there once, several times or not at all, as a list. */
export const list = (value) => (value === undefined ? [] : [value].flat());

function put(members, name, value) {
  members[name] = Object.hasOwn(members, name) ? [members[name], value].flat() : value;
}

function unescape(text) {
  return text.replace(/&(#x?[\da-f]+|\w+);/gi, (whole, name) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name[1].toLowerCase() === "x" ? parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

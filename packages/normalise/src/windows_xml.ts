/**
 * Reads a Windows event in the event log's own XML into the document that EVTX-to-JSON tools make of it. Knows no event; document types and
 * entities of one's own are refused.
 */
import { type JsonObject, type JsonValue, newFields } from "@vedette/kit";

/** UserData of real events nests five deep; what is deeper is no event. */
const maxElements = 16;
/** The widest events known have about 150 data. */
const maxChildren = 1_000;

/** An element while it is read: what ends up in the document, and the text between its children. */
interface Open {
  readonly name: string;
  readonly value: { [key: string]: JsonValue };
  text: string;
  children: number;
}

/** Whether a line begins an event in XML; looks at its head only. */
export const isEventXml = (line: string): boolean =>
  /^\s{0,16}(?:<\?xml[^>]{0,200}\?>\s{0,16})?<Event(?:\s[^>]{0,300})?>/.test(line.slice(0, 600));

/** `{Event: {System: …, EventData: …}}`; undefined where the text is not one whole element. Linear: each character is looked at once. */
export function parseEventXml(text: string): JsonObject | undefined {
  const stack: Open[] = [{ name: "", value: record(), text: "", children: 0 }];
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf("<", at);
    const top = stack.at(-1)!;
    const between = unescaped(text.slice(at, start < 0 ? text.length : start));
    if (between === undefined) return undefined;
    top.text += between;
    if (start < 0) break;
    if (text.startsWith("<![CDATA[", start)) {
      const end = text.indexOf("]]>", start);
      if (end < 0) return undefined;
      top.text += text.slice(start + 9, end);
      at = end + 3;
      continue;
    }
    const end = tagEnd(text, start);
    if (end < 0) return undefined;
    at = end + 1;
    if (text.charCodeAt(start + 1) === 0x3f) continue;
    if (text.charCodeAt(start + 1) === 0x2f) {
      if (stack.length < 2 || text.slice(start + 2, end).trim() !== top.name) return undefined;
      stack.pop();
      put(stack.at(-1)!, top);
    } else {
      const empty = text.charCodeAt(end - 1) === 0x2f;
      const open = opened(text.slice(start + 1, empty ? end - 1 : end));
      if (open === undefined || stack.length > maxElements || ++top.children > maxChildren) return undefined;
      if (empty) put(top, open);
      else stack.push(open);
    }
  }
  const [root] = stack;
  return stack.length === 1 && root!.children === 1 && root!.text.trim() === "" ? root!.value : undefined;
}

const record = (): { [key: string]: JsonValue } => newFields() as { [key: string]: JsonValue };

/** The `>` of a tag: one within an attribute's quotes does not end it. */
function tagEnd(text: string, start: number): number {
  let quote = 0;
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quote !== 0) quote = c === quote ? 0 : quote;
    else if (c === 0x22 || c === 0x27) quote = c;
    else if (c === 0x3e) return i;
  }
  return -1;
}

const attribute = /\s{1,16}([A-Za-z_][\w:.-]{0,127})\s{0,4}=\s{0,4}(?:"([^"]*)"|'([^']*)')/y;

function opened(tag: string): Open | undefined {
  const name = /^[A-Za-z_][\w:.-]{0,127}/.exec(tag)?.[0];
  if (name === undefined) return undefined;
  const value = record();
  const attributes = record();
  attribute.lastIndex = name.length;
  let end = name.length;
  for (let found = attribute.exec(tag); found; found = attribute.exec(tag)) {
    const content = unescaped(found[2] ?? found[3] ?? "");
    if (content === undefined) return undefined;
    attributes[found[1]!] = content;
    value["#attributes"] = attributes;
    end = attribute.lastIndex;
  }
  return tag.slice(end).trim() === "" ? { name, value, text: "", children: 0 } : undefined;
}

/** A closed element goes to its parent: as text where it is nothing else; data of the same name follow one another in a list. */
function put(parent: Open, { name, value, text, children }: Open): void {
  let is: JsonValue = value;
  if (children === 0 && value["#attributes"] === undefined) is = text;
  else if (children === 0 && text !== "") value["#text"] = text;
  const before = parent.value[name];
  if (Array.isArray(before)) before.push(is);
  else parent.value[name] = before !== undefined ? [before, is] : name === "Data" ? [is] : is;
}

const named: { readonly [entity: string]: string } = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Undefined for an entity that XML itself does not know. */
function unescaped(text: string): string | undefined {
  if (!text.includes("&")) return text;
  let wrong = false;
  const plain = text.replace(
    /&(?:#(x[0-9a-fA-F]{1,6}|[0-9]{1,7})|([a-z]{1,8}));/g,
    (all, code: string | undefined, name: string | undefined) => {
      if (name !== undefined) {
        wrong ||= !Object.hasOwn(named, name);
        return named[name] ?? all;
      }
      const point = Number(code!.startsWith("x") ? `0${code}` : code);
      wrong ||= point > 0x10ffff;
      return wrong ? all : String.fromCodePoint(point);
    },
  );
  return wrong ? undefined : plain;
}

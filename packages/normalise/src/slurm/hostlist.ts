/** Expands Slurm's hostlist expressions: `cn[01-03,7],login1` → cn01 cn02 cn03 cn7 login1. */

/** Names beyond these are left out: a job of more nodes is still found by its expression. */
const maxHosts = 256;

/** The names, at most 256, in their order; an expression that is none is one name. */
export function expandHosts(text: string): readonly string[] {
  const hosts: string[] = [];
  for (const part of topLevel(text)) {
    const open = part.indexOf("[");
    const close = part.indexOf("]", open);
    if (open < 0 || close < 0) {
      if (part !== "") hosts.push(part);
    } else addRanges(hosts, part.slice(0, open), part.slice(open + 1, close), part.slice(close + 1));
    if (hosts.length >= maxHosts) break;
  }
  return hosts.slice(0, maxHosts);
}

/** Splits at commas outside brackets. */
function topLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length && parts.length < maxHosts; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b) depth++;
    else if (c === 0x5d) depth--;
    else if (c === 0x2c && depth <= 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  if (parts.length < maxHosts) parts.push(text.slice(from));
  return parts;
}

function addRanges(hosts: string[], before: string, ranges: string, after: string): void {
  for (const range of ranges.split(",", maxHosts)) {
    const [first = "", last = first] = range.split("-", 2);
    const from = Number(first);
    const to = Number(last);
    if (!Number.isInteger(from) || !Number.isInteger(to) || first === "") continue;
    for (let n = from; n <= to && hosts.length < maxHosts; n++) hosts.push(before + String(n).padStart(first.length, "0") + after);
  }
}

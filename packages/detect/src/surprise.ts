/** How little a label looks like a name that people chose, by the model of characters after one another. Knows no domain. */
import { alphabet, rows } from "./dga_model.ts";

const edge = alphabet.length;

/** Mean bits a character of a domain's label costs; any digit counts as one character, what is in no name as the rarest. */
export function surprise(label: string): number {
  let sum = 0;
  let before = edge;
  for (let i = 0; i <= label.length; i++) {
    const c = i < label.length ? label[i]! : "";
    const code = c === "" ? edge : alphabet.indexOf(c >= "0" && c <= "9" ? "0" : c);
    sum += code < 0 || before < 0 ? 11 : (rows[before]!.charCodeAt(code) - 35) / 8;
    before = code;
  }
  return sum / (label.length + 1);
}

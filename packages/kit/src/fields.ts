/** Fast records for event fields without a prototype: a key named `__proto__` or `constructor` is data like any other. */
import type { Fields } from "@vedette/model";

// V8 sets aside as many places within a record as its constructor has assignments, and makes a hash table, several times dearer to write and to
// read, of one to which twice as many keys are added by name in a variable. Few events have more than 40 fields. Only the first records fill the
// places: from what those use V8 learns how many to keep.
function FieldRecord(this: { [key: string]: unknown }, filled: boolean) {
  if (!filled) return;
  this["a"] = this["b"] = this["c"] = this["d"] = this["e"] = this["f"] = this["g"] = this["h"] = this["i"] = this["j"] = 0;
  this["k"] = this["l"] = this["m"] = this["n"] = this["o"] = this["p"] = this["q"] = this["r"] = this["s"] = this["t"] = 0;
  this["u"] = this["v"] = this["w"] = this["x"] = this["y"] = this["z"] = this["A"] = this["B"] = this["C"] = this["D"] = 0;
  this["E"] = this["F"] = this["G"] = this["H"] = this["I"] = this["J"] = this["K"] = this["L"] = this["M"] = this["N"] = 0;
}
FieldRecord.prototype = Object.create(null);
const Record = FieldRecord as unknown as new (filled: boolean) => Fields;
for (let first = 0; first < 16; first++) new Record(true);

/** A new empty record; unlike `Object.create(null)` it keeps hidden classes, which makes reads several times cheaper. */
export const newFields = (): Fields => new Record(false);

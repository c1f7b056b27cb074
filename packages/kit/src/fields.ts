/** Fast records for event fields without a prototype: a key named `__proto__` or `constructor` is data like any other. */
import type { Fields } from "@vedette/model";

function FieldRecord(this: object) {}
FieldRecord.prototype = Object.create(null);

/** A new empty record; unlike `Object.create(null)` it keeps hidden classes, which makes reads several times cheaper. */
export const newFields = (): Fields => new (FieldRecord as unknown as new () => Fields)();

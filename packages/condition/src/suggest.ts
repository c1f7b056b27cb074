/** The nearest known name to a mistyped one. Knows no schema. */

/** Optimal string alignment distance, or `most + 1` where it is larger. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    before = above;
    above = row;
  }
  return above[b.length]!;
}

/** The known name nearest to `name` within a quarter of its length (at least one edit), ties by order; undefined when none is near. */
export function closest(name: string, known: Iterable<string>): string | undefined {
  // longer than any real name, and the price grows with the square
  if (name.length > 128) return undefined;
  const low = name.toLowerCase();
  let most = Math.max(1, Math.floor(low.length / 4));
  let best: string | undefined;
  for (const one of known) {
    const found = distance(low, one.toLowerCase(), most);
    if (found > most) continue;
    best = one;
    if (found === 0) break;
    most = found - 1;
  }
  return best;
}

/** What a person may have meant by an unknown field: another spelling, or the field whose last part it is (`username` → `user.name`, `dst_ip` → none). */
export function suggestField(name: string, known: Iterable<string>): string | undefined {
  const fields = [...known];
  const near = closest(name, fields);
  if (near !== undefined) return near;
  const bare = (text: string) => text.toLowerCase().replace(/[._\-\s]/g, "");
  const wanted = bare(name.slice(0, 128));
  if (wanted === "") return undefined;
  return (
    fields.find((one) => bare(one) === wanted) ?? fields.filter((one) => bare(one).endsWith(wanted)).sort((a, b) => a.length - b.length)[0]
  );
}

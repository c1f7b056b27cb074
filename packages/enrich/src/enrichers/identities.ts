/** Says of the users in an event what the identity inventory knows about them. Knows no directory service. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { give, textOf } from "../give.ts";
import { bad, type InventoryRow, readInventory, several, truth } from "../inventory.ts";
import { tableFile } from "../table_file.ts";

/** Values by their place in `rests`. */
type Identity = readonly (readonly [rest: number, value: FieldValue])[];
interface Identities {
  /** What a value's field is called behind `user.`, `user.target.` and so on. */
  readonly rests: readonly string[];
  readonly byName: ReadonlyMap<string, Identity>;
}

const known = ["department", "privileged", "full_name", "email", "roles", "manager"];
/** Columns that ECS has a field for; the others go under `user.profile`. */
const ecs: { readonly [column: string]: string } = { full_name: "full_name", email: "email", roles: "roles" };
const inventory = "user,full_name,department,privileged\nada;a.lovelace,Ada Lovelace,analysis,no\nCORP\\root2,,operations,yes\n";

export default defineEnricher({
  name: "identities",
  summary: "Says of the users in an event what the identity inventory knows: department, whether privileged, and whatever columns it has.",
  description:
    "The inventory is CSV with a header line, or a JSON array of objects; `user` may hold several names of one person, separated by semicolons, and `DOMAIN\\name` where names repeat between domains. `full_name`, `email` and `roles` become ECS's fields, every other column `user.profile.COLUMN`; `privileged` is true or false. Filled in for `user`, `user.target` and `user.effective`.",
  stability: "beta",
  config: z.strictObject({ file: tableFile("The inventory; without it, it comes by PUT /api/v1/inventory/identities.") }),
  table: {
    summary: "People and accounts and what is known of them, by user name.",
    inventory: true,
    read(bytes) {
      const rows = readInventory(bytes, ["user"], known);
      return { value: indexed(rows), rows: rows.length };
    },
  },
  examples: [
    {
      title: "Any of a person's names, in any case",
      table: inventory,
      fields: { "user.name": "A.Lovelace" },
      adds: { "user.full_name": "Ada Lovelace", "user.profile.department": "analysis", "user.profile.privileged": false },
    },
    {
      title: "Names of a domain, of the user that something is done to",
      table: inventory,
      fields: { "user.target.name": "root2", "user.target.domain": "CORP", "user.name": "root2", "user.domain": "LAB" },
      adds: { "user.target.profile.department": "operations", "user.target.profile.privileged": true },
    },
  ],
  enricher(_config, { rests, byName }: Identities) {
    const namesOf = (prefix: string) => rests.map((rest) => `${prefix}.${rest}`);
    const user = namesOf("user");
    const target = namesOf("user.target");
    const effective = namesOf("user.effective");
    const add = (fields: Fields, name: FieldValue | undefined, domain: FieldValue | undefined, names: readonly string[]) => {
      const text = name === undefined ? undefined : textOf(name)?.toLowerCase();
      if (text === undefined) return;
      const realm = domain === undefined ? undefined : textOf(domain)?.toLowerCase();
      const identity = (realm === undefined ? undefined : byName.get(`${realm}\\${text}`)) ?? byName.get(text);
      if (identity !== undefined) for (const [rest, value] of identity) give(fields, names[rest]!, value);
    };
    // where ECS puts users: who acts, whom it is done to, whom somebody becomes
    return (fields: Fields) => {
      add(fields, fields["user.name"], fields["user.domain"], user);
      add(fields, fields["user.target.name"], fields["user.target.domain"], target);
      add(fields, fields["user.effective.name"], fields["user.effective.domain"], effective);
    };
  },
});

function indexed(rows: readonly InventoryRow[]): Identities {
  const byName = new Map<string, Identity>();
  const rests = new Map<string, number>();
  const place = (rest: string): number => {
    const known = rests.get(rest);
    if (known === undefined) rests.set(rest, rests.size);
    return known ?? rests.size - 1;
  };
  for (const { place: where, columns } of rows) {
    const identity = [...columns].flatMap(([name, cell]): Identity => {
      if (name === "user") return [];
      const value = name === "privileged" ? truth(cell, where) : name === "roles" ? several(cell) : cell;
      return [[place(ecs[name] ?? `profile.${name}`), value]];
    });
    const names = several(columns.get("user"));
    if (names.length === 0) throw bad(`${where}: no user name`);
    for (const name of names) if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), identity);
  }
  return { rests: [...rests.keys()], byName };
}

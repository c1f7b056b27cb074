/** Says of the users in an event what the identity inventory knows about them. Knows no directory service. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { give, textOf } from "../give.ts";
import { bad, type InventoryRow, readInventory, several, truth } from "../inventory.ts";
import { tableFile } from "../table_file.ts";

type Identity = readonly (readonly [rest: string, value: FieldValue])[];

const known = ["department", "privileged", "full_name", "email", "roles", "manager"];
/** Columns that ECS has a field for; the others go under `user.profile`. */
const ecs: { readonly [column: string]: string } = { full_name: "full_name", email: "email", roles: "roles" };
/** Where ECS puts users: who acts, whom it is done to, whom somebody becomes. */
const users = ["user", "user.target", "user.effective"];

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
  enricher(_config, table: ReadonlyMap<string, Identity>) {
    const places = users.map((prefix) => [`${prefix}.name`, `${prefix}.domain`, prefix] as const);
    return (fields: Fields) => {
      for (const [nameField, domainField, prefix] of places) {
        const name = fields[nameField] === undefined ? undefined : textOf(fields, nameField)?.toLowerCase();
        if (name === undefined) continue;
        const domain = fields[domainField] === undefined ? undefined : textOf(fields, domainField)?.toLowerCase();
        const identity = (domain === undefined ? undefined : table.get(`${domain}\\${name}`)) ?? table.get(name);
        if (identity !== undefined) for (const [rest, value] of identity) give(fields, `${prefix}.${rest}`, value);
      }
    };
  },
});

function indexed(rows: readonly InventoryRow[]): ReadonlyMap<string, Identity> {
  const byName = new Map<string, Identity>();
  for (const { place, columns } of rows) {
    const identity = [...columns].flatMap(
      ([name, cell]): Identity =>
        name === "user"
          ? []
          : [[ecs[name] ?? `profile.${name}`, name === "privileged" ? truth(cell, place) : name === "roles" ? several(cell) : cell]],
    );
    const names = several(columns.get("user"));
    if (names.length === 0) throw bad(`${place}: no user name`);
    for (const name of names) if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), identity);
  }
  return byName;
}

/** Says of the hosts in an event what the asset inventory knows about them. Knows no inventory system. */
import { closest, type Network, parseAddress, parseNetwork } from "@vedette/condition";
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { remembered } from "../bounded_cache.ts";
import { give, relate, textOf } from "../give.ts";
import { bad, type Cell, type InventoryRow, readInventory, several } from "../inventory.ts";
import { NetworkTrie } from "../network_trie.ts";
import { tableFile } from "../table_file.ts";

interface Asset {
  readonly names: readonly string[];
  /** Values by their column's place in `columns` of the whole. */
  readonly values: readonly (readonly [column: number, value: FieldValue])[];
}
interface Assets {
  /** Names of columns besides the keys. */
  readonly columns: readonly string[];
  readonly byName: ReadonlyMap<string, Asset>;
  /** Lone addresses, by their number. */
  readonly byAddress: ReadonlyMap<string, Asset>;
  readonly byNetwork: NetworkTrie<Asset>;
}

const criticalities = ["low", "medium", "high", "critical"];
const known = ["owner", "role", "criticality", "environment", "location"];

const inventory =
  "host,ip,owner,role,criticality\nlogin01,10.0.0.5;2001:db8::5,hpc-ops,login node,critical\n,10.1.0.0/16,hpc-ops,compute node,low\n";

export default defineEnricher({
  name: "assets",
  summary: "Says of the hosts in an event what the asset inventory knows: owner, role, criticality and whatever columns it has.",
  description:
    "The inventory is CSV with a header line, or a JSON array of objects; `host` (names) and `ip` (addresses or networks) may hold several, separated by semicolons. Every other column becomes a field: `host.asset.owner`, `source.asset.criticality`, `destination.asset.role`. A host is found by its name first (in full, then without its domain), then by its address, then by the longest network; the first row of a name or address counts. Names of the inventory that belong to an address are added to `related.hosts`.",
  stability: "beta",
  config: z.strictObject({ file: tableFile("The inventory; without it, it comes by PUT /api/v1/inventory/assets.") }),
  table: {
    summary: "Hosts and what is known of them, by name, address or network.",
    inventory: true,
    read(bytes) {
      const rows = readInventory(bytes, ["host", "ip"], known);
      return { value: indexed(rows), rows: rows.length };
    },
  },
  examples: [
    {
      title: "By name and by address",
      table: inventory,
      fields: { "host.name": "login01.example.org", "source.ip": "10.0.0.5" },
      adds: {
        "host.asset.owner": "hpc-ops",
        "host.asset.role": "login node",
        "host.asset.criticality": "critical",
        "source.asset.owner": "hpc-ops",
        "source.asset.role": "login node",
        "source.asset.criticality": "critical",
        "related.hosts": ["login01"],
      },
    },
    {
      title: "By network; what the event says already stays",
      table: inventory,
      fields: { "destination.ip": "10.1.2.3", "destination.asset.owner": "somebody else", "source.ip": "192.0.2.1" },
      adds: { "destination.asset.role": "compute node", "destination.asset.criticality": "low" },
    },
  ],
  enricher(_config, table: Assets) {
    const ofAddress = remembered((text): Asset | undefined => table.byAddress.get(keyOf(text) ?? "") ?? table.byNetwork.find(text));
    const ofName = remembered((text): Asset | undefined => {
      const name = text.toLowerCase();
      const dot = name.indexOf(".");
      return table.byName.get(name) ?? (dot > 0 ? table.byName.get(name.slice(0, dot)) : undefined);
    });
    const namesOf = (prefix: string) => table.columns.map((column) => `${prefix}.asset.${column}`);
    const host = namesOf("host");
    const source = namesOf("source");
    const destination = namesOf("destination");
    const add = (fields: Fields, asset: Asset | undefined, names: readonly string[]) => {
      if (asset !== undefined) for (const [column, value] of asset.values) give(fields, names[column]!, value);
    };
    const named = (value: FieldValue | undefined): Asset | undefined => {
      const text = value === undefined ? undefined : textOf(value);
      return text === undefined ? undefined : ofName(text);
    };
    const at = (value: FieldValue | undefined): Asset | undefined => {
      const text = value === undefined ? undefined : textOf(value);
      return text === undefined ? undefined : ofAddress(text);
    };
    /** An end that only its address tells gets its names too. */
    const end = (fields: Fields, domain: FieldValue | undefined, ip: FieldValue | undefined, names: readonly string[]) => {
      const known = named(domain);
      const found = known ?? at(ip);
      if (found === undefined) return;
      if (known === undefined) relate(fields, "related.hosts", found.names);
      add(fields, found, names);
    };
    return (fields: Fields) => {
      add(fields, named(fields["host.name"]) ?? named(fields["host.hostname"]) ?? at(fields["host.ip"]), host);
      end(fields, fields["source.domain"], fields["source.ip"], source);
      end(fields, fields["destination.domain"], fields["destination.ip"], destination);
    };
  },
});

function indexed(rows: readonly InventoryRow[]): Assets {
  const byName = new Map<string, Asset>();
  const byAddress = new Map<string, Asset>();
  const byNetwork = new NetworkTrie<Asset>();
  const names = [...new Set(rows.flatMap(({ columns }) => [...columns.keys()]))].filter((name) => name !== "host" && name !== "ip");
  const numbers = new Map(names.map((name, i) => [name, i]));
  for (const { place, columns } of rows) {
    const asset: Asset = {
      names: several(columns.get("host")),
      values: [...columns].flatMap(([name, cell]) => {
        const column = numbers.get(name);
        return column === undefined ? [] : [[column, fieldValue(name, cell, place)] as const];
      }),
    };
    for (const name of asset.names) if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), asset);
    for (const text of several(columns.get("ip"))) {
      const network = parseNetwork(text);
      if (network === undefined) throw bad(`${place}: "${text.slice(0, 60)}" is no address and no network, e.g. 10.1.0.0/16`);
      const key = network.bits === (network.v4 ? 32 : 128) ? keyOf(text.replace(/\/.*$/, "")) : undefined;
      if (key === undefined) byNetwork.add(network as Network, asset);
      else if (!byAddress.has(key)) byAddress.set(key, asset);
    }
  }
  return { columns: names, byName, byAddress, byNetwork };
}

function keyOf(text: string): string | undefined {
  const address = parseAddress(text);
  return address && (address.v4 ? String(address.words[3]) : address.words.join(" "));
}

function fieldValue(name: string, cell: Cell, place: string): FieldValue {
  if (name !== "criticality") return cell;
  const text = String(cell).toLowerCase();
  if (criticalities.includes(text)) return text;
  const meant = closest(text, criticalities);
  throw bad(
    `${place}: criticality "${text.slice(0, 40)}": expected ${criticalities.join(", ")}${meant ? `; did you mean "${meant}"?` : ""}`,
  );
}

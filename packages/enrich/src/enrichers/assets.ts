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
  /** Columns besides the keys. */
  readonly columns: readonly (readonly [column: string, value: FieldValue])[];
}
interface Assets {
  readonly byName: ReadonlyMap<string, Asset>;
  /** Lone addresses, by their number. */
  readonly byAddress: ReadonlyMap<string, Asset>;
  readonly byNetwork: NetworkTrie<Asset>;
}

const criticalities = ["low", "medium", "high", "critical"];
const known = ["owner", "role", "criticality", "environment", "location"];

/** Which fields tell who it is, and where what is known of it goes. */
const parts: readonly { readonly prefix: string; readonly names: readonly string[]; readonly ip: string }[] = [
  { prefix: "host", names: ["host.name", "host.hostname"], ip: "host.ip" },
  { prefix: "source", names: ["source.domain"], ip: "source.ip" },
  { prefix: "destination", names: ["destination.domain"], ip: "destination.ip" },
];

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
    const targets = new Map<string, string>();
    const target = (prefix: string, column: string): string => {
      const key = `${prefix}\0${column}`;
      let name = targets.get(key);
      if (name === undefined) {
        name = `${prefix}.asset.${column}`;
        targets.set(key, name);
      }
      return name;
    };
    return (fields: Fields) => {
      for (const { prefix, names, ip } of parts) {
        let asset: Asset | undefined;
        for (const name of names) {
          const text = fields[name] === undefined ? undefined : textOf(fields, name);
          if (text !== undefined) asset ??= ofName(text);
        }
        if (asset === undefined) {
          const text = fields[ip] === undefined ? undefined : textOf(fields, ip);
          if (text === undefined) continue;
          asset = ofAddress(text);
          if (asset === undefined) continue;
          if (prefix !== "host") relate(fields, "related.hosts", asset.names);
        }
        for (const [column, value] of asset.columns) give(fields, target(prefix, column), value);
      }
    };
  },
});

function indexed(rows: readonly InventoryRow[]): Assets {
  const byName = new Map<string, Asset>();
  const byAddress = new Map<string, Asset>();
  const byNetwork = new NetworkTrie<Asset>();
  for (const { place, columns } of rows) {
    const asset: Asset = {
      names: several(columns.get("host")),
      columns: [...columns].flatMap(([name, cell]) =>
        name === "host" || name === "ip" ? [] : [[name, fieldValue(name, cell, place)] as const],
      ),
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
  return { byName, byAddress, byNetwork };
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

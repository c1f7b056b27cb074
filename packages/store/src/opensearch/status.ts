/** How the OpenSearch is that events are on, for whoever looks after an installation. Changes nothing. */
import { Client } from "./client.ts";
import type { OpenSearchSettings } from "./events.ts";

export interface OpenSearchStatus {
  readonly version: string;
  /** `green`, `yellow` or `red`, as the cluster says of itself. */
  readonly health: string;
  readonly indices: number;
  /** Indices of ours that take no more events, because a disk of theirs is full. */
  readonly blocked: readonly string[];
  /** Of ours, those whose mapping was not made by our template: something else has made them, or has removed it. */
  readonly foreign: readonly string[];
}

/** @throws UnavailableError, in words that name the setting */
export async function openSearchStatus(settings: OpenSearchSettings): Promise<OpenSearchStatus> {
  const client = new Client(settings);
  try {
    const version = await client.checkVersion();
    const { status } = await client.get<{ status: string }>("GET", "/_cluster/health");
    const ours = `/${settings.prefix}-*`;
    type Blocks = {
      readonly [index: string]: { readonly settings: { readonly index?: { readonly blocks?: { readonly [block: string]: string } } } };
    };
    const blocks = await client.get<Blocks>("GET", `${ours}/_settings/index.blocks.*?allow_no_indices=true`);
    const blocked = Object.entries(blocks).filter(([, one]) => Object.values(one.settings.index?.blocks ?? {}).includes("true"));
    type Mappings = { readonly [index: string]: { readonly mappings: { readonly dynamic?: string } } };
    const mappings = await client.get<Mappings>("GET", `${ours}/_mapping?allow_no_indices=true`);
    const foreign = Object.entries(mappings).filter(([, one]) => one.mappings.dynamic !== "false");
    const names = (of: readonly (readonly [string, unknown])[]) => of.map(([name]) => name).sort();
    return { version, health: status, indices: Object.keys(mappings).length, blocked: names(blocked), foreign: names(foreign) };
  } finally {
    client.close();
  }
}

/** Finds components by file name: adding one touches its own file and nothing else. */
import { readdir } from "node:fs/promises";
import type { Component } from "./component.ts";
import { ConfigError } from "./errors.ts";

const folders = new Map<string, Promise<ReadonlyMap<string, Component>>>();

/** Every component of a folder (`x.ts` in development, `x.js` when built), sorted by name; loaded once. */
export function discover<T extends Component>(folder: URL): Promise<ReadonlyMap<string, T>> {
  const known = folders.get(folder.href) ?? load(folder);
  folders.set(folder.href, known);
  return known as Promise<ReadonlyMap<string, T>>;
}

async function load<T extends Component>(folder: URL): Promise<ReadonlyMap<string, T>> {
  const found = new Map<string, T>();
  for (const file of (await readdir(folder)).sort()) {
    const name = /^([a-z0-9_]+)\.(ts|js)$/.exec(file)?.[1];
    if (name === undefined) continue;
    const { default: component } = (await import(new URL(file, folder).href)) as { default?: T };
    if (component?.name !== name) throw new ConfigError("component_misnamed", `${file} must default-export a component named "${name}"`);
    found.set(name, component);
  }
  return found;
}

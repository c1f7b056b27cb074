/** Sources and endpoints: the outside world to raw records. What the records mean is none of its business. */
import { discover, type EndpointSpec, type SourceSpec } from "@vedette/kit";

export { parseAddress } from "./address.ts";
export { type ClientConfig, clients, type Target } from "./clients.ts";
export { default as fileSource } from "./sources/file.ts";
export { default as stdinSource } from "./sources/stdin.ts";

/** Every source by its name in the configuration. */
export const sources = (): Promise<ReadonlyMap<string, SourceSpec>> => discover<SourceSpec>(new URL("./sources/", import.meta.url));
/** Every protocol spoken over our own HTTP port, by name. */
export const endpoints = (): Promise<ReadonlyMap<string, EndpointSpec>> => discover<EndpointSpec>(new URL("./endpoints/", import.meta.url));

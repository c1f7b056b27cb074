/** HOST:PORT as the configuration writes it. Knows nothing of who may listen where. */
import { ConfigError } from "@vedette/kit";
import type { Loaded } from "./load.ts";

export interface Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** @param key where it stands, for the message @throws ConfigError `config_invalid` */
export function readAddress(text: string, key: readonly string[], place: Loaded["place"]): Address {
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 1 || text.endsWith(":") || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ConfigError("config_invalid", `${place(key)}: ${key.join(".")}: expected HOST:PORT, e.g. 127.0.0.1:8080, found "${text}"`);
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port };
}

/** Where people and collectors reach the server, and on what conditions that may be from other machines. Opens no port. */
import { readFileSync } from "node:fs";
import { isAdministrator, type People } from "@vedette/access";
import type { ServerOptions } from "@vedette/api";
import { ConfigError } from "@vedette/kit";
import { type Address, readAddress } from "./config/address.ts";
import type { Loaded } from "./config/load.ts";

const loopback = /^(127\.\d+\.\d+\.\d+|localhost|::1)$/;

export interface Listening {
  readonly address: Address;
  /** What the server is to know of it. */
  readonly options: Pick<ServerOptions, "https" | "loopback" | "hosts" | "secure">;
}

/** @throws ConfigError `config_invalid` for an address off loopback without TLS */
export function listenAddress({ config, place }: Loaded): Address & { readonly isLoopback: boolean } {
  const address = readAddress(config.listen, ["listen"], place);
  const isLoopback = loopback.test(address.host);
  if (!isLoopback && config.tls === undefined)
    throw new ConfigError(
      "config_invalid",
      `${place(["listen"])}: listen: ${address.host} is not a loopback address, and without TLS passwords and tokens would be read on the way. ` +
        "Name a certificate (tls.certificate, tls.key), or listen on 127.0.0.1 and put a TLS proxy in front.",
    );
  return { ...address, isLoopback };
}

/** @throws ConfigError as `listenAddress`, and `config_unreadable` for a certificate that cannot be read */
export function listening(loaded: Loaded): Listening {
  const { config, place } = loaded;
  const { tls, access } = config;
  const { isLoopback, ...address } = listenAddress(loaded);
  const read = (key: "certificate" | "key", file: string): string => {
    try {
      return readFileSync(file, "utf8");
    } catch (cause) {
      throw new ConfigError("config_unreadable", `${place(["tls", key])}: tls.${key}: ${(cause as Error).message}`, { cause });
    }
  };
  return {
    address,
    options: {
      loopback: isLoopback,
      ...(access.url !== undefined && { hosts: [new URL(access.url).hostname] }),
      secure: tls !== undefined || access.url?.startsWith("https:") === true,
      ...(tls && { https: { cert: read("certificate", tls.certificate), key: read("key", tls.key), minVersion: tls.min_version } }),
    },
  };
}

/** What a person can do about a port that cannot be had. */
const portTrouble: { readonly [code: string]: string } = {
  EADDRINUSE: "another program listens there already; end it, or choose another port, e.g. --listen 127.0.0.1:8081",
  EACCES: "this user may not listen on that port; take one from 1024 on, e.g. --listen 127.0.0.1:8080",
  EADDRNOTAVAIL: "this host has no such address",
};

/** @returns the server's address. @throws ConfigError `config_invalid` where the port cannot be had */
export async function listen(server: { listen(at: Address): Promise<string> }, { address }: Listening, { place }: Loaded): Promise<string> {
  try {
    return await server.listen(address);
  } catch (cause) {
    const trouble = portTrouble[(cause as NodeJS.ErrnoException).code ?? ""];
    if (trouble === undefined) throw cause;
    throw new ConfigError("config_invalid", `${place(["listen"])}: listen: ${address.host}:${address.port}: ${trouble}`, { cause });
  }
}

/**
 * Whoever is reached from other machines knows who administers it: a token that several people share names nobody.
 * @throws ConfigError `config_invalid`
 */
export function demandAdministrator({ options }: Listening, people: People, { config, place }: Loaded): void {
  if (options.loopback || people.users.list().some((user) => isAdministrator(user))) return;
  throw new ConfigError(
    "config_invalid",
    `${place(["listen"])}: listen: nobody named administers this installation yet, so that it is not reached from other machines. ` +
      `Name somebody first: vedette user reset NAME --offline --admin --data-dir ${config.data_dir}, which prints a first password.`,
  );
}

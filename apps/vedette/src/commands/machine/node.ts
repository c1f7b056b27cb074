/** `vedette machine enrol | renew | report`: what runs on the machine itself. */
import { resolve } from "node:path";
import { ConfigError, systemClock } from "@vedette/kit";
import { MachineNode } from "@vedette/machines";
import { apiPrefix } from "./online.ts";

interface Options {
  readonly dir: string;
}

const placeOf = ({ dir }: Options) => ({ directory: resolve(dir), clock: systemClock, ...apiPrefix() });
const until = ({ certificate }: MachineNode): string => certificate.validToDate.toISOString();

export async function enrol(options: Options & { readonly url: string; readonly token?: string }): Promise<void> {
  const token = options.token ?? process.env["VEDETTE_MACHINE_TOKEN"];
  if (token === undefined) throw new ConfigError("config_invalid", "give the token in VEDETTE_MACHINE_TOKEN, or by --token");
  const node = await MachineNode.enrol(placeOf(options), options.url, token);
  process.stdout.write(
    `${node.certificate.subjectAltName?.replace(/^URI:/, "")} until ${until(node)}; renew with: vedette machine renew --dir ${options.dir}\n`,
  );
}

export async function renew(options: Options & { readonly force?: boolean }): Promise<void> {
  const node = await MachineNode.open(placeOf(options));
  if (!node.due && !options.force) {
    process.stdout.write(`Nothing to do: the certificate is not yet half way to ${until(node)}.\n`);
    return;
  }
  await node.renew();
  process.stdout.write(`Renewed until ${until(node)}.\n`);
}

interface ReportOptions extends Options {
  readonly health: string;
  readonly address?: string;
  readonly versionOf?: string;
  readonly detail?: string;
  readonly ttl: string;
}

export async function report({ health, address, versionOf, detail, ttl, ...options }: ReportOptions): Promise<void> {
  const node = await MachineNode.open(placeOf(options));
  const said = { health, address, version: versionOf, detail, ttl_s: Number(ttl) };
  const { id, state } = await node.ask<{ readonly id: string; readonly state: string }>("PUT", "/machines/self", said);
  process.stdout.write(`${id} is ${state}.\n`);
}

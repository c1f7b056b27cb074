/** Names, options and help of `vedette config`; its code is loaded only when it runs. */
import type { Command } from "commander";
import { configFile as file, json } from "../options.ts";

export function addConfigCommands(cli: Command): void {
  const config = cli.command("config").description("check and show the configuration");
  file(config.command("validate").description("check the configuration and say what is wrong, with file and line")).action(async (o) =>
    (await import("./config.ts")).validate(o),
  );
  file(config.command("show").description("the configuration in force and where each value comes from"))
    .addOption(json())
    .action(async (o) => (await import("./config.ts")).show(o));
  config
    .command("schema")
    .description("JSON Schema of vedette.yaml, for editors")
    .action(async () => (await import("./config.ts")).schema());
}

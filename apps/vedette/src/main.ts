/** The command line: names, options and help of every command; each command's code is loaded only when it runs. */
import { Argument, Command, CommanderError } from "commander";
import { addAccessCommands } from "./commands/access_commands.ts";
import { addAlertCommands, addTailCommand } from "./commands/alert_commands.ts";
import { addAuditCommands } from "./commands/audit_commands.ts";
import { addBackupCommands } from "./commands/backup_commands.ts";
import { addCareCommands } from "./commands/care_commands.ts";
import { addConfigCommands } from "./commands/config_commands.ts";
import { addHoldCommands } from "./commands/hold_commands.ts";
import { addMachineCommands } from "./commands/machine/commands.ts";
import { addOfflineCommands } from "./commands/offline_commands.ts";
import { addPipelineCommands } from "./commands/pipeline/commands.ts";
import { addMetricsCommands, addQueryCommand } from "./commands/query_commands.ts";
import { addRuleCommands } from "./commands/rule/commands.ts";
import { addRunCommands } from "./commands/run_commands.ts";
import { addSimulateCommands } from "./commands/simulate/commands.ts";
import { addSinkCommands, addSourceCommands } from "./commands/source_commands.ts";
import { addStateCommands } from "./commands/state_commands.ts";
import { addUserCommands } from "./commands/user_commands.ts";
import { groupCommands } from "./help.ts";

/** Exit codes of the contract. */
export const exitCodes = { fine: 0, findings: 1, usage: 2, unavailable: 3 } as const;

export function program(): Command {
  const cli = new Command("vedette")
    .description("Watches a cluster: collects logs, detects attacks, raises alerts.")
    .version("0.1.0")
    .showHelpAfterError("(add --help for usage)")
    .exitOverride()
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette up                         start everything in one process\n  $ vedette query 'source.ip:203.0.113.9 | stats count() by event.action'\n\nExit codes: 0 fine, 1 findings or failures, 2 usage or configuration, 3 unavailable.",
    );

  addRunCommands(cli);
  addSimulateCommands(cli);
  addQueryCommand(cli);
  addMetricsCommands(cli);
  addAlertCommands(cli);
  addTailCommand(cli);
  addOfflineCommands(cli);
  addAuditCommands(cli);
  addRuleCommands(cli.command("rule").description("write, check, explain and measure rules"));
  addPipelineCommands(cli);
  addMachineCommands(cli);
  addConfigCommands(cli);
  addSourceCommands(cli);
  addSinkCommands(cli);
  addUserCommands(cli);
  addAccessCommands(cli);
  addHoldCommands(cli);
  addStateCommands(cli);
  addBackupCommands(cli);
  addCareCommands(cli);
  cli
    .command("completion")
    .description("print what a shell needs to complete commands and options")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette completion bash > ~/.local/share/bash-completion/completions/vedette\n  $ vedette completion fish > ~/.config/fish/completions/vedette.fish",
    )
    .action(async (shell: "bash" | "zsh" | "fish") => (await import("./commands/completion.ts")).completion(cli, shell));
  groupCommands(cli);
  return cli;
}

/** Puts an alert's id that begins with a dash behind `--`: ids are base64url, so one in 64 would be taken for an option. */
export function idsLast(argv: readonly string[]): string[] {
  if (argv[2] !== "alerts" || argv.includes("--")) return [...argv];
  const isId = (word: string) => /^-[\w-]{21}$/.test(word);
  const ids = argv.filter(isId);
  return ids.length === 0 ? [...argv] : [...argv.filter((word) => !isId(word)), "--", ...ids];
}

/** Runs the command line and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // `vedette alerts | head`: whoever reads has enough
  process.stdout.on("error", (e: NodeJS.ErrnoException) => process.exit(e.code === "EPIPE" ? exitCodes.fine : exitCodes.unavailable));
  try {
    await program().parseAsync(idsLast(argv));
  } catch (e) {
    if (e instanceof CommanderError) process.exitCode = e.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    else {
      const { code, permanent } = e as { code?: string; permanent?: boolean };
      process.stderr.write(`vedette: ${(e as Error).message}${process.env["VEDETTE_DEBUG"] ? `\n${(e as Error).stack}` : ""}\n`);
      process.exitCode =
        permanent === false
          ? exitCodes.unavailable
          : code === "config_invalid" || code === "config_unreadable" || permanent
            ? exitCodes.usage
            : exitCodes.findings;
    }
  }
}

// run directly from source in development
if (process.argv[1]?.endsWith("main.ts")) await main(process.argv);

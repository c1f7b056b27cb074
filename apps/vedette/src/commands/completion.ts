/** `vedette completion SHELL`: prints what a shell needs to complete commands, options and their choices, made from the commands themselves. */
import type { Command, Option } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** A command with the words that may follow it. */
interface Place {
  /** `/alerts/show`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly Option[];
}

function placesOf(command: Command, path = ""): Place[] {
  const commands = command.commands.map((one) => ({ name: one.name(), about: one.description() }));
  return [{ path, commands, options: command.options }, ...command.commands.flatMap((one) => placesOf(one, `${path}/${one.name()}`))];
}

export function completion(program: Command, shell: Shell): void {
  const places = placesOf(program);
  process.stdout.write(shell === "fish" ? fish(places) : bash(places, shell));
}

const namesOf = ({ short, long }: Option): string[] => [short, long].filter((name) => name !== undefined && name !== null) as string[];

/** Zsh reads the same through its own bridge. What is neither command nor option is a file. */
function bash(places: readonly Place[], shell: Shell): string {
  const paths = places.slice(1).map(({ path }) => path);
  const words = places.map(({ path, commands, options }) => {
    const all = [...commands.map(({ name }) => name), ...options.flatMap(namesOf), "--help"];
    return `    "${path}") words="${all.join(" ")}" ;;`;
  });
  const choices = places.flatMap(({ path, options }) =>
    options.flatMap((option) =>
      option.argChoices
        ? [
            `    ${namesOf(option)
              .map((name) => `"${path} ${name}"`)
              .join("|")}) words="${option.argChoices.join(" ")}" ;;`,
          ]
        : [],
    ),
  );
  return `# vedette completion ${shell}
${shell === "zsh" ? "autoload -Uz compinit bashcompinit && compinit -u && bashcompinit\n" : ""}_vedette() {
  local at="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/\${COMP_WORDS[i]}" in
      ${paths.join("|")}) at="$at/\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
${words.join("\n")}
  esac
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${choices.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _vedette vedette
`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, commands, options }) => {
    const here = `complete -c vedette -n ${quoted(`__vedette_at "${path}"`)}`;
    return [
      ...commands.map(({ name, about }) => `${here} -a ${name} -d ${quoted(about)}`),
      ...options.map(({ short, long, description, required, argChoices }) => {
        const names = [short && `-s ${short.slice(1)}`, long && `-l ${long.slice(2)}`].filter(Boolean).join(" ");
        const value = argChoices ? ` -x -a ${quoted(argChoices.join(" "))}` : required ? " -r" : "";
        return `${here} ${names}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# vedette completion fish
function __vedette_at
  set -l at ""
  for word in (commandline -opc)[2..-1]
    switch "$at/$word"
      case ${places
        .slice(1)
        .map(({ path }) => path)
        .join(" ")}
        set at "$at/$word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join("\n")}
`;
}

/** Names the program behind a User-Agent header as it says of itself. Believes it: attackers write what they like there. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { remembered } from "../bounded_cache.ts";
import { give, textOf } from "../give.ts";

interface Agent {
  readonly name: string;
  readonly version: string | undefined;
  readonly os: string | undefined;
  readonly osVersion: string | undefined;
  readonly device: string | undefined;
}
/** Longer headers are attacks or mistakes; what they begin with still says what they claim to be. */
const maxLength = 1_024;

/** Product token → name; the first that is there counts: browsers claim to be the ones before them too. */
const products: readonly (readonly [token: string, name: string])[] = [
  ["sqlmap/", "sqlmap"],
  ["Nikto/", "Nikto"],
  ["Nuclei", "Nuclei"],
  ["masscan/", "masscan"],
  ["zgrab/", "zgrab"],
  ["gobuster/", "gobuster"],
  ["WPScan", "WPScan"],
  ["Googlebot/", "Googlebot"],
  ["bingbot/", "bingbot"],
  ["GPTBot/", "GPTBot"],
  ["HeadlessChrome/", "HeadlessChrome"],
  ["EdgiOS/", "Edge"],
  ["EdgA/", "Edge"],
  ["Edg/", "Edge"],
  ["Edge/", "Edge"],
  ["OPR/", "Opera"],
  ["Vivaldi/", "Vivaldi"],
  ["SamsungBrowser/", "Samsung Internet"],
  ["CriOS/", "Chrome"],
  ["Chrome/", "Chrome"],
  ["FxiOS/", "Firefox"],
  ["Firefox/", "Firefox"],
  ["Trident/", "IE"],
  ["MSIE ", "IE"],
  ["Safari/", "Safari"],
];
const systems: readonly (readonly [token: string, name: string])[] = [
  ["iPhone OS ", "iOS"],
  ["iPad; CPU OS ", "iOS"],
  ["Android ", "Android"],
  ["Android", "Android"],
  ["Windows NT ", "Windows"],
  ["CrOS ", "Chrome OS"],
  ["Mac OS X ", "Mac OS X"],
  ["Linux", "Linux"],
];
const devices: readonly (readonly [token: string, name: string])[] = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Macintosh", "Mac"],
];

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

export default defineEnricher({
  name: "user_agent",
  summary: "Names browser or tool, its version and the operating system that a User-Agent header claims.",
  description:
    "By a short list of browsers, scanners and crawlers; what is none of them is named by its first product token (`curl/8.5.0` is curl, version 8.5.0). Adds `user_agent.name`, `user_agent.version`, `user_agent.os.name`, `user_agent.os.version` and `user_agent.device.name`.",
  stability: "beta",
  config: z.strictObject({}),
  examples: [
    {
      title: "A browser",
      fields: { "user_agent.original": firefox },
      adds: { "user_agent.name": "Firefox", "user_agent.version": "128.0", "user_agent.os.name": "Linux" },
    },
    {
      title: "A tool",
      fields: { "user_agent.original": "python-requests/2.31.0" },
      adds: { "user_agent.name": "python-requests", "user_agent.version": "2.31.0" },
    },
    {
      title: "Safari keeps its version elsewhere",
      fields: {
        "user_agent.original":
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
      },
      adds: {
        "user_agent.name": "Safari",
        "user_agent.version": "17.4",
        "user_agent.os.name": "iOS",
        "user_agent.os.version": "17.4",
        "user_agent.device.name": "iPhone",
      },
    },
    { title: "No header", fields: { "user_agent.original": "-" }, adds: {} },
  ],
  enricher() {
    const agentOf = remembered(read);
    return (fields: Fields) => {
      const header = fields["user_agent.original"];
      const text = header === undefined ? undefined : textOf(header);
      const agent = text === undefined ? undefined : agentOf(text);
      if (agent === undefined) return;
      // a name and a version of different origin would belong to nobody
      if (fields["user_agent.name"] === undefined) {
        give(fields, "user_agent.name", agent.name);
        give(fields, "user_agent.version", agent.version);
      }
      if (fields["user_agent.os.name"] === undefined) {
        give(fields, "user_agent.os.name", agent.os);
        give(fields, "user_agent.os.version", agent.osVersion);
      }
      give(fields, "user_agent.device.name", agent.device);
    };
  },
});

function read(whole: string): Agent | undefined {
  const text = whole.slice(0, maxLength);
  const product = products.find(([token]) => text.includes(token));
  const own = product === undefined ? /^[A-Za-z][\w .+-]{0,63}/.exec(text)?.[0].trim() : undefined;
  const name = product?.[1] ?? own;
  if (name === undefined) return undefined;
  const version =
    product === undefined
      ? versionAfter(text, `${own}/`)
      : product[1] === "Safari"
        ? versionAfter(text, "Version/")
        : product[0] === "Trident/"
          ? versionAfter(text, "rv:")
          : versionAfter(text, product[0]);
  const system = systems.find(([token]) => text.includes(token));
  const osVersion = system?.[0].endsWith(" ") ? versionAfter(text, system[0])?.replaceAll("_", ".") : undefined;
  return { name, version, os: system?.[1], osVersion, device: devices.find(([token]) => text.includes(token))?.[1] };
}

function versionAfter(text: string, token: string): string | undefined {
  const at = text.indexOf(token);
  return at < 0 ? undefined : /^v?(\d[\w.-]{0,31})/.exec(text.slice(at + token.length, at + token.length + 40))?.[1];
}

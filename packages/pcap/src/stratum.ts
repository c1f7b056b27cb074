/**
 * What was said of Stratum, getwork and getblocktemplate in the first bytes of a connection: which methods and signs, told and not judged. Whether
 * it is mining is the `stratum` detector's business.
 */

export interface StratumTalk {
  /** Names of methods, each once, in the order of the alphabet. */
  readonly methods: readonly string[];
  /** `algo`: algorithms are offered; `job`: a job with blob and target; `jsonrpc`: version 2.0 and an id. */
  readonly signs: readonly string[];
  /** What the miner calls itself. */
  readonly agent?: string;
}

/**
 * Slush's Stratum (mining.*), Monero's (login, job, submit, getjob, keepalived), Ethereum's (eth_*), and the node's own calls that pools took over
 * (BIP 22, 23; getwork).
 */
export const miningMethods: ReadonlySet<string> = new Set([
  "mining.subscribe",
  "mining.authorize",
  "mining.submit",
  "mining.notify",
  "mining.set_difficulty",
  "mining.set_target",
  "mining.set_extranonce",
  "mining.extranonce.subscribe",
  "mining.configure",
  "mining.hello",
  "mining.get_transactions",
  "login",
  "getjob",
  "job",
  "submit",
  "keepalived",
  "eth_submitLogin",
  "eth_getWork",
  "eth_submitWork",
  "eth_submitHashrate",
  "getwork",
  "getblocktemplate",
  "submitblock",
]);
const named = /"method"\s{0,8}:\s{0,8}"([\w.]{1,40})"/g;
const agents = [/"(?:agent|user_agent)"\s{0,8}:\s{0,8}"([^"\\]{1,80})"/, /"mining\.subscribe"[^\]]{0,64}\[\s{0,8}"([^"\\]{1,80})"/];

export function stratumOf(client: Buffer, server: Buffer): StratumTalk | undefined {
  const texts = [client, server].map(jsonOf).filter((t) => t !== undefined);
  if (texts.length === 0) return undefined;
  const found = new Set<string>();
  const signs = new Set<string>();
  for (const text of texts) {
    for (const [, name] of text.matchAll(named)) if (miningMethods.has(name!)) found.add(name!);
    // the subscription names what the pool will send
    for (const [, name] of text.matchAll(/\["(mining\.(?:notify|set_difficulty))",/g)) found.add(name!);
    if (text.includes('"blob"') && text.includes('"target"') && text.includes('"job_id"')) signs.add("job");
    if (/"algo"\s{0,8}:/.test(text)) signs.add("algo");
    if (/"jsonrpc"\s{0,8}:\s{0,8}"2\.0"/.test(text) && /"id"\s{0,8}:/.test(text)) signs.add("jsonrpc");
  }
  if (found.size === 0 && !signs.has("job")) return undefined;
  const agent = agents.map((a) => texts.map((t) => a.exec(t)?.[1]).find((m) => m !== undefined)).find((m) => m !== undefined);
  return { methods: [...found].sort(), signs: [...signs].sort(), ...(agent === undefined ? {} : { agent }) };
}

/** What is sent as JSON from the start, bare, in HTTP's body or in a WebSocket's first frames; anything else only mentions it. */
function jsonOf(bytes: Buffer): string | undefined {
  if (bytes.length < 2) return undefined;
  let text = bytes.toString("latin1");
  if (/^(?:POST |GET |HTTP\/1)/.test(text)) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const socket = /\r\nupgrade:\s{0,8}websocket/i.test(text.slice(0, end));
    // a chunked body has its first length before it
    text = text.slice(end + 4).replace(/^[0-9a-f]{1,8}\r\n/i, "");
    // a frame's head has 2 to 4 bytes before a short text; the client's frames are masked and not read
    if (socket) text = text.slice(Math.max(0, text.slice(0, 5).indexOf("{")));
  }
  return /^\s{0,8}[{[]/.test(text) ? text : undefined;
}

/**
 * What was said of Stratum, getwork and getblocktemplate in the first bytes of a connection: which methods and signs, told and not judged. Whether
 * it is mining is the `stratum` detector's business.
 */

export interface StratumTalk {
  /** Names of methods, each once, in the order of the alphabet. */
  readonly methods: readonly string[];
  /**
   * `algo`: algorithms are offered; `job`: a job with blob and target, Grin's with what is to be proved, a block to be filled (BIP 22) or getwork's midstate;
   * `jsonrpc`: version 2.0 and an id; `noise`: what may be the handshake of Stratum 2.
   */
  readonly signs: readonly string[];
  /** What the miner calls itself. */
  readonly agent?: string;
}

/**
 * Slush's Stratum with its extensions (BIP 310) and what came of it (NiceHash's, Zcash's, EthereumStratum 2: all `mining.`), Monero's (login, job, submit,
 * getjob, keepalived), Grin's (getjobtemplate) and Beam's (solution), Ethereum's (eth_*), and the node's own calls that pools took over (BIP 22, 23; getwork).
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
  "mining.set_version_mask",
  "mining.suggest_difficulty",
  "mining.suggest_target",
  "mining.capabilities",
  "mining.multi_version",
  "mining.hello",
  "mining.set",
  "mining.noop",
  "mining.bye",
  "mining.ping",
  "mining.get_transactions",
  "login",
  "getjob",
  "getjobtemplate",
  "job",
  "submit",
  "solution",
  "keepalived",
  "eth_submitLogin",
  "eth_getWork",
  "eth_submitWork",
  "eth_submitHashrate",
  "getwork",
  "getblocktemplate",
  "get_block_template",
  "submitblock",
  "submit_block",
]);
const named = /"method"\s{0,8}:\s{0,8}"([\w.]{1,40})"/g;
/** Ergo's node is asked by path for work, and told what came of it. */
const ergo = /(?:^|\r\n\r\n|\})(?:GET|POST) \/mining\/(candidate|solution) HTTP\/1/g;
const agents = [/"(?:agent|user_agent)"\s{0,8}:\s{0,8}"([^"\\]{1,80})"/, /"mining\.subscribe"[^\]]{0,64}\[\s{0,8}"([^"\\]{1,80})"/];

/** Whether a text has a piece of work as only miners are given it. */
const hasJob = (text: string): boolean =>
  (text.includes('"job_id"') && ((text.includes('"blob"') && text.includes('"target"')) || text.includes('"pre_pow"'))) ||
  (text.includes('"previousblockhash"') && (text.includes('"coinbasevalue"') || text.includes('"coinbasetxn"'))) ||
  (text.includes('"midstate"') && text.includes('"target"'));

/** @param opening bytes that each side sent before the other spoke */
export function stratumOf(client: Buffer, server: Buffer, opening = { orig: 0, resp: 0 }): StratumTalk | undefined {
  if (isNoise(client, server, opening)) return { methods: [], signs: ["noise"] };
  const texts = [client, server].map(jsonOf).filter((t) => t !== undefined);
  const found = new Set(Array.from(client.toString("latin1").matchAll(ergo), ([, name]) => `mining/${name}`));
  if (texts.length === 0 && found.size === 0) return undefined;
  const signs = new Set<string>();
  for (const text of texts) {
    for (const [, name] of text.matchAll(named)) if (miningMethods.has(name!)) found.add(name!);
    // the subscription names what the pool will send
    for (const [, name] of text.matchAll(/\["(mining\.(?:notify|set_difficulty))",/g)) found.add(name!);
    if (hasJob(text)) signs.add("job");
    if (/"algo"\s{0,8}:/.test(text)) signs.add("algo");
    if (/"jsonrpc"\s{0,8}:\s{0,8}"2\.0"/.test(text) && /"id"\s{0,8}:/.test(text)) signs.add("jsonrpc");
  }
  if (found.size === 0 && !signs.has("job")) return undefined;
  const agent = agents.map((a) => texts.map((t) => a.exec(t)?.[1]).find((m) => m !== undefined)).find((m) => m !== undefined);
  return { methods: [...found].sort(), signs: [...signs].sort(), ...(agent === undefined ? {} : { agent }) };
}

/**
 * Stratum 2 (its specification, 4.5): the miner sends a key of 64 bytes that looks like chance, the pool its own, what proves it and no more, 234 bytes in all
 * (170 before keys were hidden, of 32 asked for); then frames of at least 22 bytes. Sizes tell it, so it is a hint: others speak Noise too.
 */
const handshakes: readonly (readonly [asked: number, answered: number])[] = [
  [64, 234],
  [32, 170],
];
function isNoise(client: Buffer, server: Buffer, { orig, resp }: { readonly orig: number; readonly resp: number }): boolean {
  if (!handshakes.some(([asked, answered]) => asked === orig && answered === resp)) return false;
  return client.length >= orig + 22 && looksDrawn(client.subarray(0, orig)) && looksDrawn(server.subarray(0, resp));
}
/** Of bytes drawn by chance three in eight are printable ASCII; texts and headers are nearly all, or many are zero. */
function looksDrawn(bytes: Buffer): boolean {
  const printable = bytes.filter((b) => b >= 0x20 && b < 0x7f).length;
  return printable < bytes.length * 0.7 && bytes.filter((b) => b === 0).length < bytes.length * 0.1;
}

/** What is sent as JSON from the start, bare, behind a proxy's greeting, in HTTP's body or in a WebSocket's frames; anything else only mentions it. */
function jsonOf(bytes: Buffer): string | undefined {
  if (bytes.length < 2) return undefined;
  let text = bytes.toString("latin1", socksGreeting(bytes));
  if (/^(?:POST |GET |CONNECT |HTTP\/1)/.test(text)) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const socket = /\r\nupgrade:\s{0,8}websocket/i.test(text.slice(0, end));
    if (socket) text = framesOf(bytes.subarray(end + 4));
    // a chunked body has its first length before it
    else text = text.slice(end + 4).replace(/^[0-9a-f]{1,8}\r\n/i, "");
  }
  return /^\s{0,8}[{[]/.test(text) ? text : undefined;
}

/**
 * Bytes that either side says to a SOCKS proxy's port before what is meant: version 5 (RFC 1928) greets, names a way of logging in, and asks; version 4 asks.
 * After each the next begins, and what is meant begins with the first brace that follows within what these can have.
 */
function socksGreeting(bytes: Buffer): number {
  if (bytes[0] !== 5 && !(bytes[0] === 4 && bytes[1] === 1) && !(bytes[0] === 0 && bytes[1] === 90)) return 0;
  const at = bytes.subarray(0, mostGreeting).indexOf("{");
  return Math.max(0, at);
}
/** Greeting, user and password of 255 bytes each, a name of as many. */
const mostGreeting = 1_024;

/** The text of a WebSocket's frames (RFC 6455 5.2), one a line; the client's are masked. A frame that is not whole ends it. */
function framesOf(bytes: Buffer): string {
  const texts: string[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const masked = (bytes[at + 1]! & 0x80) !== 0;
    let length = bytes[at + 1]! & 0x7f;
    let data = at + 2;
    if (length === 127 || (length === 126 && data + 2 > bytes.length)) break;
    if (length === 126) [length, data] = [bytes.readUInt16BE(data), data + 2];
    const mask = masked ? bytes.subarray(data, data + 4) : undefined;
    if (masked) data += 4;
    const payload = Buffer.from(bytes.subarray(data, data + length));
    if (mask?.length === 4) for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i & 3]!;
    if ((bytes[at]! & 0x0f) <= 1) texts.push(payload.toString("latin1"));
    at = data + length;
  }
  return texts.join("\n");
}

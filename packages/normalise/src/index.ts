/** Raw records to ECS events: which formats there are, which one a stream speaks, and what class and host an event belongs to. */
export { classOf, hostOf } from "./classify.ts";
export { detectFormat } from "./detect.ts";
export { formats } from "./registry.ts";
export { zeekField } from "./zeek/columns.ts";

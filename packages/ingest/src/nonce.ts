/** Names for what has no name of its own: a connection, a request, a run. Knows no source. */
import { type Clock, idOf } from "@vedette/kit";

let made = 0;

/** Different for every call, also across restarts: the moment tells runs apart, the count tells calls apart. */
export const nonce = (clock: Clock): string => idOf("nonce", clock.now(), made++);

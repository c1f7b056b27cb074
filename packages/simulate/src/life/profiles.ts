/** Kinds of honest work, by weight. Knows no kind's inside. */
import { lookalikes } from "./lookalikes.ts";
import { ordinary } from "./ordinary.ts";
import type { Profile } from "./profile.ts";

export const profiles: readonly Profile[] = [...ordinary, ...lookalikes];

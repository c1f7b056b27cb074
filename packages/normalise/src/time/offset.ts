/** The setting by which a format is told the zone of stamps that name none. */
import { z } from "@vedette/kit";

export const utcOffset = z
  .string()
  .regex(/^[+-]([01]\d|2[0-3]):[0-5]\d$/)
  .default("+00:00");

/** Minutes east of UTC of `+hh:mm`. */
export const minutesOf = (offset: string): number =>
  (offset.startsWith("-") ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6)));

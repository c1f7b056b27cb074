/** Somebody logs in from two places that nobody can travel between in the time. Knows no geography but what events or settings say. */
import { inNetwork, type Network, parseAddress } from "@vedette/condition";
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, hour, list, minute, ongoing, span, textField, windowOf } from "../episode.ts";
import { network, within } from "../networks.ts";

interface Place {
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
}
interface Login extends Place {
  readonly time: Micros;
  readonly event: string;
  readonly ip: string;
}
interface Travel extends Episode {
  readonly places: readonly string[];
}
interface State {
  readonly last: Login;
  readonly travel?: Travel | undefined;
}

const maxPlaces = 10;
const login = (time: Micros, ip: string, place?: { name: string; lat: number; lon: number }, user = "ada") => ({
  time,
  fields: {
    "event.category": "authentication",
    "event.outcome": "success",
    "user.name": user,
    "source.ip": ip,
    ...(place && { "source.geo.city_name": place.name, "source.geo.location.lat": place.lat, "source.geo.location.lon": place.lon }),
  },
});
const berlin = { name: "Berlin", lat: 52.52, lon: 13.4 };
const potsdam = { name: "Potsdam", lat: 52.4, lon: 13.06 };
const tokyo = { name: "Tokyo", lat: 35.68, lon: 139.69 };

export default defineDetector({
  name: "impossible_travel",
  title: "Log-ins from places too far apart",
  summary: "Finds a user whose successive log-ins come from places that an airliner could not connect in the time between them.",
  description:
    "Compares each successful log-in with the one before. Where an address is: first by `places`, a table of your networks, else by the event's own source.geo.location. Addresses without a place are passed over, so without either the detector finds nothing. Expect some noise from mobile carriers and commercial VPNs, whose addresses are registered far from their users; put your own VPN's egress into `ignore`.",
  response: [
    "Ask the person by a way that is not the account itself. VPN, mobile carriers and proxies place people far away.",
    "It was somebody else: end all sessions, change password, keys and second factor, and read what either session did.",
  ],
  stability: "beta",
  where: "event.category:authentication and event.outcome:success and source.ip:* and user.name:*",
  fields: [
    "user.name",
    "source.ip",
    "host.name",
    "source.geo.location",
    "source.geo.location.lat",
    "source.geo.location.lon",
    "source.geo.city_name",
    "source.geo.country_name",
    "source.geo.country_iso_code",
  ],
  by: ["user.name"],
  config: z.strictObject({
    max_kmh: z
      .number()
      .min(100)
      .max(100_000)
      .default(1_000)
      .describe("Fastest believable journey, km/h; airliners cruise at about 900, and the way to the airport is not counted."),
    min_km: z
      .number()
      .min(1)
      .max(20_000)
      .default(500)
      .describe("Shorter distances are never reported, km; the accuracy that geolocation databases themselves state for coarse entries."),
    places: z
      .array(
        z.strictObject({
          network: network.describe("Addresses of the place, e.g. 203.0.113.0/24."),
          name: z.string().min(1).max(64).describe("What people call it."),
          lat: z.number().min(-90).max(90).describe("Latitude in degrees, north positive."),
          lon: z.number().min(-180).max(180).describe("Longitude in degrees, east positive."),
        }),
      )
      .max(1_000)
      .default([])
      .describe("Where your own networks are; first match wins, before what the event says."),
    ignore: z
      .array(network)
      .max(1_000)
      .default([])
      .describe("Networks that say nothing about where a person is: VPN egress, proxies, cloud shells."),
    ignore_users: z.array(z.string()).max(1_000).default([]).describe("Accounts used from several places at once, such as automation."),
  }),
  examples: [
    {
      title: "Berlin and Tokyo within the hour",
      events: [login(0, "203.0.113.7", berlin), login(40 * minute, "198.51.100.9", tokyo)],
      finds: ["ada logged in from Tokyo (198.51.100.9) 40 min after Berlin (203.0.113.7): 8,917 km, 13,376 km/h"],
    },
    {
      title: "Places told by the table of networks",
      config: {
        places: [
          { network: "203.0.113.0/24", name: "campus", lat: 48.15, lon: 11.58 },
          { network: "198.51.100.0/24", name: "partner site", lat: 37.87, lon: -122.26 },
        ],
      },
      events: [login(0, "203.0.113.7"), login(hour, "198.51.100.9")],
      finds: ["ada logged in from partner site (198.51.100.9) 60 min after campus (203.0.113.7): 9,418 km, 9,418 km/h"],
    },
    {
      title: "A flight that fits, and neighbouring cities within a minute",
      events: [
        login(0, "203.0.113.7", berlin),
        login(minute, "203.0.113.99", potsdam),
        login(14 * hour, "198.51.100.9", tokyo),
        login(14 * hour, "192.0.2.1"),
      ],
      finds: [],
    },
    {
      title: "The company's VPN egress abroad",
      config: { ignore: ["198.51.100.0/24"] },
      events: [login(0, "203.0.113.7", berlin), login(minute, "198.51.100.9", tokyo)],
      finds: [],
    },
  ],

  key: (fields, { ignore_users }) => {
    const user = textField(fields, "user.name");
    return user === undefined || textField(fields, "source.ip") === undefined || ignore_users.includes(user)
      ? undefined
      : user.toLowerCase();
  },

  fold(input, state: State | undefined, config) {
    const ip = textField(input.fields, "source.ip")!;
    if (within(ip, config.ignore)) return { state };
    const place = placeIn(config.places, ip) ?? placeOf(input.fields);
    if (!place) return { state };
    const here: Login = { time: input.time, event: input.event, ip, name: place.name, lat: place.lat, lon: place.lon };
    if (!state) return { state: { last: here } };
    const { last } = state;
    const km = distance(last, here);
    // a second is the finest that syslog tells; without it equal times would be infinitely fast
    const kmh = km / (Math.max(here.time - last.time, 1_000_000) / hour);
    if (km < config.min_km || kmh <= config.max_kmh) return { state: { last: here, travel: ongoing(state.travel, here.time, day) } };
    const before = ongoing(state.travel, here.time, day);
    const travel: Travel = {
      ...extend(before, day, { time: here.time, events: [last.event, here.event], count: before ? 1 : 2 }),
      places: [...new Set([...(before?.places ?? []), last.name, here.name])].slice(0, maxPlaces),
    };
    const user = textField(input.fields, "user.name")!;
    const back = travel.places.length > 2 ? ` (${list(travel.places)})` : "";
    return {
      state: { last: here, travel },
      claims: [
        {
          window: windowOf(travel),
          severity: "medium",
          summary: `${user} logged in from ${here.name} (${ip}) ${span(here.time - last.time)} after ${last.name} (${last.ip}): ${Math.round(km).toLocaleString("en")} km, ${Math.round(kmh).toLocaleString("en")} km/h${back}`,
          events: travel.events,
          count: travel.count,
          entities: [
            { type: "user.name", id: user },
            { type: "source.ip", id: ip },
            { type: "source.ip", id: last.ip },
          ],
          attack: ["T1078"],
        },
      ],
    };
  },

  // half the earth at the speed of an airliner: nothing older can be impossible
  expires: (state, { max_kmh }) => Math.max(state.last.time + (20_020 / max_kmh) * hour, (state.travel?.end ?? 0) + day),
});

/** The first place whose network holds the address. */
function placeIn(places: readonly (Place & { readonly network: Network })[], ip: string): Place | undefined {
  const address = places.length === 0 ? undefined : parseAddress(ip);
  return address && places.find((p) => inNetwork(address, p.network));
}

/** `source.geo.location` as ECS writers spell it: an object's two members, `lat,lon`, or `[lon, lat]`. */
function placeOf(fields: Fields): Place | undefined {
  const whole = fields["source.geo.location"];
  let lat = Number(fields["source.geo.location.lat"] ?? Number.NaN);
  let lon = Number(fields["source.geo.location.lon"] ?? Number.NaN);
  if (typeof whole === "string") [lat, lon] = whole.split(",", 2).map(Number) as [number, number];
  else if (Array.isArray(whole) && whole.length === 2) [lon, lat] = whole.map(Number) as [number, number];
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) return undefined;
  const name =
    textField(fields, "source.geo.city_name") ??
    textField(fields, "source.geo.country_name") ??
    textField(fields, "source.geo.country_iso_code") ??
    `${lat.toFixed(1)}, ${lon.toFixed(1)}`;
  return { name: name.slice(0, 64), lat, lon };
}

/** Great-circle distance in km (haversine, mean earth radius 6,371 km). */
function distance(a: Place, b: Place): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  return 2 * 6_371 * Math.asin(Math.min(1, Math.sqrt(h)));
}

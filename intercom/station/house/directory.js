// The doors of the house (protocol.md §2). The space says which address is a door, whatever its name.

import { houseUrl } from "./device.js";
import { t } from "../language.js";

export const DEFAULT_DOOR = { name: t("the-door"), address: "/private/door" };
const PAGES_MAX = 20; // limit of pages: a thousand addresses; a house has a dozen

/** Return the doors as [{name, address}]. */
export async function findDoors(token) {
  try {
    const members = await everybody(token);
    const doors = members.filter(({ kind }) => kind === "door");
    const taken = members.some(({ address }) => address === DEFAULT_DOOR.address);
    return doors.length || taken ? doors : [DEFAULT_DOOR];
  } catch {
    return [DEFAULT_DOOR]; // no directory: assume the one door of the default address
  }
}

async function everybody(token) {
  const members = [];
  let page = "/api/fabric/addresses?sort_by=name&sort_order=asc";
  for (let count = 0; page && count < PAGES_MAX; count += 1) {
    const response = await fetch(houseUrl(page), { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
    const { data, links } = await response.json();
    members.push(...data.map(({ name, display_name, kind, channels }) => ({
      name: String(display_name || name), kind, address: channels?.audio?.split("?")[0] ?? name,
    })));
    page = links?.next;
  }
  return members;
}

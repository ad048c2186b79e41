// Which doors the house has (protocol.md §2).

export const DEFAULT_DOOR = { name: "The door", address: "/private/door" };
const DOOR_ADDRESS = /^\/private\/door([-_.]?\w+)?$/; // where a directory does not tell roles

/** [{name, address}], never empty. */
export async function findDoors(token) {
  try {
    const response = await fetch("/api/fabric/addresses?sort_by=name&sort_order=asc",
      { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
    const { data } = await response.json();
    const doors = data.map(({ name, display_name, role, channels }) => ({
      name: String(display_name || name), role, address: channels?.audio?.split("?")[0] ?? name,
    })).filter(({ role, address }) => role === "door" || DOOR_ADDRESS.test(address));
    return doors.length ? doors : [DEFAULT_DOOR];
  } catch {
    return [DEFAULT_DOOR]; // no directory: the house has the one door of the default address
  }
}

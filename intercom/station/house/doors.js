// The doors of the house on the ready page: a button to call each, and one to look where the door lets the house.

import { DEFAULT_DOOR, findDoors } from "./directory.js";
import { element, renderDoors, renderLooks, setText } from "../view.js";

/** Show the doors of the directory, or the default one before there is a token. */
export async function showDoors(token, face, call) {
  const doors = token ? await findDoors(token) : [DEFAULT_DOOR];
  renderDoors(doors, call);
  if (!token) return;
  const looks = await Promise.all(doors.map(({ address }) => face.mayLook(address)));
  renderLooks(doors.filter((_, i) => looks[i]), (door) => {
    element["look-call"].onclick = () => call(door);
    setText(element["looking-title"], door.name);
    face.watch({ address: door.address });
  });
}

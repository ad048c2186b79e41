// The call of an invite, as the space describes it.

import { Call } from "./call.js";
import { t } from "../language.js";
import { placeWords } from "../visitors/words.js";

const NAME_MAX = 60;

/**
 * Return the call that rings here; the space says who is a door, and which of its buttons was pressed: what a caller says
 * of itself counts for nothing.
 */
export function invitedCall(params, { button, ...parts }) {
  const opens = params.caller_kind === "door";
  const name = clip(params.caller_id_name) || clip(params.caller_id_number) || t("somebody");
  const place = opens ? placeWords({ door: { name }, button: clip(button) }) : t("from.device", { name });
  const from = { name: place, number: params.caller_id_number ?? "" };
  const silent = params.silent === true; // it is quiet: the visitor is only shown
  return new Call({ ...parts, ring: params.ring, silent, opens, direction: "inbound", from });
}

function clip(text) {
  return typeof text === "string" ? text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim().slice(0, NAME_MAX) : "";
}

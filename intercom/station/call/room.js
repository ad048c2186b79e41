// The members of a call: tells the others whether we are muted, and has the button that mutes the door's microphone. It
// is there only where the door lets the house mute it: the space lists that among our capabilities. What it shows is what
// the space tells of the door, never what was only asked for.
//
// Event: "change" when the members, or who of them is muted, have changed.

import { t } from "../language.js";

export class Room extends EventTarget {
  #signalling;
  #button;
  #call; // () => the present call, or null
  #room = null; // of the present call: {id, me, far: {member_id, call_id, node_id}, muted, allowed}

  constructor(signalling, button, call) {
    super();
    this.#signalling = signalling;
    this.#button = button;
    this.#call = call;
    signalling.addEventListener("room", ({ detail: { type, params } }) => this.#told(type, params));
    signalling.addEventListener("verto", () => this.render()); // another call has another door
    button.addEventListener("click", () => this.#toggle());
  }

  /** Return who is in the present call, [{name, me, muted}]; nobody where the house knows no members. */
  get people() {
    return [...this.#present()?.people.values() ?? []];
  }

  #told(type, params) {
    if (type === "call.joined" && params.call_id === this.#call()?.id) this.#join(params);
    if (type.startsWith("member.") && params.room_session_id === this.#room?.id && params.member) this.#count(type, params.member);
    if (type === "member.updated" && params.room_session_id === this.#room?.id
      && params.member?.member_id === this.#room.far.member_id) this.#room.muted = params.member.audio_muted === true;
    this.render();
    this.dispatchEvent(new Event("change"));
  }

  #count(type, { member_id: id, name, audio_muted: muted }) {
    const { people, me } = this.#room;
    if (type === "member.left") people.delete(id);
    else people.set(id, { name: String(name ?? people.get(id)?.name ?? ""), me: id === me.member_id, muted: muted === true });
  }

  #join({ room_session_id: id, member_id, room_session, capabilities }) {
    const far = room_session?.members?.find((member) => member.member_id !== member_id);
    if (!far || !Array.isArray(capabilities)) return;
    const me = { node_id: far.node_id, call_id: this.#call().id, member_id };
    const allowed = capabilities.includes("member.mute.audio");
    this.#room = { id, me, far, muted: far.audio_muted === true, allowed, told: false, people: new Map() };
    room_session.members.forEach((member) => this.#count("member.joined", member));
  }

  /** Tell the other members whether they hear us: our microphone is muted, or `missing`. */
  tellOwnMute(missing) {
    const room = this.#present();
    const muted = Boolean(this.#call()?.muted || missing);
    if (!room || muted === room.told) return;
    room.told = muted;
    const method = muted ? "call.mute" : "call.unmute";
    this.#signalling.request(method, { self: room.me, channels: ["audio"] }).catch(() => {}); // the call goes on
  }

  async #toggle() {
    const { me, far, muted } = this.#room;
    const { member_id, call_id, node_id } = far;
    const targets = [{ member_id, call_id, node_id }];
    const method = muted ? "call.unmute" : "call.mute";
    this.#button.disabled = true;
    await this.#signalling.request(method, { self: me, targets, channels: ["audio"] }).catch(() => {}); // the button stays as it was
    this.#button.disabled = false;
  }

  #present() {
    return this.#room && this.#call()?.id === this.#room.me.call_id ? this.#room : null;
  }

  /** Show the button as the call stands. */
  render() {
    const room = this.#present();
    this.#button.hidden = !room?.allowed;
    this.#button.setAttribute("aria-pressed", String(Boolean(room?.muted)));
    const words = t(room?.muted ? "room.unmute" : "room.mute");
    const label = this.#button.querySelector("span");
    if (label.textContent !== words) label.textContent = words;
  }
}

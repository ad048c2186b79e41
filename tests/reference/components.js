// The reference's web components, unmodified, around the client of page.js: its calls are the components' calls.
import * as components from "@signalwire/web-components";
import { running } from "./page.js";

const find = (selector) => document.querySelector(selector);
// A provider of a context must be an element before those inside it ask for it: they come once all are defined.
document.body.append(find("template").content);

Object.assign(window.reference, {
  defined: () =>
    Object.values(components)
      .map((component) => component instanceof Function && customElements.getName(component))
      .filter((name) => name?.startsWith?.("sw-")),
  furnish() {
    find("sw-directory").directory = running.client.directory;
    find("sw-device-selector").deviceController = running.client;
    find("sw-call-provider").deviceController = running.client;
  },
  show(call) {
    find("sw-call-provider").call = running.call(call);
  },
  measure(call) {
    find("sw-audio-level").call = running.call(call);
  },
  give(selector, properties) {
    Object.assign(find(selector), properties);
  },
  members: (id) =>
    Object.fromEntries(
      running.call(id).participants.map(({ id, name, audioMuted, videoMuted, deaf, handraised }) => [
        name,
        { id, audioMuted, videoMuted, deaf, handraised },
      ]),
    ),
  microphone: (id) => {
    const sender = running.call(id).rtcPeerConnection.getSenders().find(({ track }) => track?.kind === "audio");
    return sender?.track?.label ?? null;
  },
});

// The reference's web components, unmodified, around the client of page.js: its calls are the components' calls.
import * as components from "@signalwire/web-components";
import { running } from "./page.js";

const find = (selector) => document.querySelector(selector);
// A provider of a context must be an element before those inside it ask for it: they come once all are defined.
document.body.append(find("template").content);

const events = [];
for (const name of ["sw-dial", "sw-address-select", "sw-device-change", "sw-call-hangup", "sw-call-ended"]) {
  document.addEventListener(name, ({ detail }) => events.push({ name, detail: JSON.parse(JSON.stringify(detail ?? {})) }));
}

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
  members: (id) => {
    const call = running.call(id);
    return {
      self: call.self?.id ?? null,
      participants: call.participants.map(({ id, name, audioMuted, videoMuted, deaf, handraised }) => ({
        id, name, audioMuted, videoMuted, deaf, handraised,
      })),
      capabilities: call.capabilities,
      layers: call.layoutLayers.length,
    };
  },
  microphone: (id) => {
    const sender = running.call(id).rtcPeerConnection.getSenders().find(({ track }) => track?.kind === "audio");
    return sender?.track?.label ?? null;
  },
  events: () => [...events],
});

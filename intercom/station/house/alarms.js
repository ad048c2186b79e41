// What is wrong at a door that somebody should look at: it was forced or is held open, its box was opened, or somebody
// guesses its code. The space tells each page all of it, with every change and as the page registers. It cannot be
// closed away: it is over when the door says so.
//
// #alarms  a line for each door and alarm (alert), hidden without one

import { t } from "../language.js";

const METHOD = "intercom.alarms";

export class HouseAlarms {
  #list = document.getElementById("alarms");

  constructor(signalling) {
    signalling.addEventListener("room", ({ detail: { type, params } }) => type === METHOD && this.#take(params));
    // A session that begins is told what lasts now, if anything does; one that goes on is told what is over as well.
    signalling.addEventListener("state", ({ detail: { state, resumed } }) => state === "registered" && !resumed && this.#take({ doors: [] }));
  }

  #take({ doors }) {
    if (!Array.isArray(doors)) return;
    const sentences = doors.flatMap(({ name, alarms }) => alarms.map((alarm) => t(`alarm.${alarm}`, { door: name })));
    this.#list.replaceChildren(...sentences.map((sentence) => {
      const line = document.createElement("p");
      line.textContent = sentence;
      return line;
    }));
    this.#list.hidden = sentences.length === 0;
  }
}

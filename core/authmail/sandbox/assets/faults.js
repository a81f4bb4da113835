// The next mails to one provider meet a fault: which, how many, and what comes of it for a sender.

import { element } from "/element.js";
import { word, wordOf } from "/words.js";

// Those that have the name of a provider's code come second: they are many.
export const isCode = (fault) => fault.recipient === fault.code?.toLowerCase();

// Nothing is asked of the sandbox before somebody opens it: it finds the outcomes by really sending.
export function faultControls(connector) {
  const choice = element("select", { change: explain },
    ...connector.faults.toSorted((one, other) => isCode(one) - isCode(other)).map((fault) => element("option", { value: fault.recipient }, `${fault.recipient} – ${fault.help}`)));
  const times = element("input", { type: "number", min: 1, max: 1000, value: 1, size: 4 });
  const outcome = element("p", { class: "note" });
  const state = element("p", { role: "status" });
  let known = [];

  function explain() {
    const found = known.find((fault) => fault.fault === choice.value);
    outcome.textContent = found?.outcome
      ? word("aim.outcome", { outcome: wordOf("outcome", found.outcome), next: wordOf("next", found.goesOn) })
      : "";
  }

  async function draw() {
    const { connectors } = await (await fetch("/api/faults")).json();
    const about = connectors.find((candidate) => candidate.id === connector.id);
    known = about.faults;
    tell(about.aimed);
    explain();
  }

  function tell(aimed) {
    if (!aimed) state.textContent = word("aim.none");
    else if (aimed.left == null) state.textContent = word("aim.all", { fault: aimed.fault });
    else state.textContent = word("aim.left", { fault: aimed.fault, left: aimed.left });
  }

  async function aim(fault) {
    const left = times.value === "" ? null : Number(times.value);
    const body = JSON.stringify({ connector: connector.id, fault, times: left });
    const answer = await fetch("/api/faults", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (answer.ok) tell(fault && { fault, left });
    else state.textContent = (await answer.json()).error;
  }

  const controls = element("div", { class: "aim" },
    element("label", {}, word("aim.fault"), " ", choice),
    element("label", {}, word("aim.times"), " ", times),
    element("span", { class: "buttons" },
      element("button", { type: "button", class: "primary", click: () => aim(choice.value) }, word("aim.set")),
      element("button", { type: "button", click: () => aim(null) }, word("aim.clear")),
    ),
    outcome,
    state,
  );
  const open = (event) => event.target.open && draw();
  return element("details", { toggle: open }, element("summary", {}, word("aim")), controls);
}

// What every part of the page uses: the data, the state, and a way to make elements out of text alone.
const data = JSON.parse(document.getElementById("data").textContent);
const events = data.events;
const byId = new Map(events.map((e, row) => [e.id, Object.assign(e, { row })]));
const state = { chosen: null, over: null, least: 0, causal: true, temporal: true, search: "" };
const at = (id) => document.getElementById(id);
const percent = (p) => `${Math.round(p * 100)} %`;
const CONVERSE = { BEFORE: "AFTER", AFTER: "BEFORE", EQUAL: "EQUAL", VAGUE: "VAGUE", CAUSES: "CAUSED_BY", CAUSED_BY: "CAUSES", NONE: "NONE" };
const LABELS = { temporal: ["BEFORE", "AFTER", "EQUAL", "VAGUE"], causal: ["NONE", "CAUSES", "CAUSED_BY"] };
const DUE = "BY"; // what a VAGUE relation to a time is called in the document where it is a deadline
const SAYS = {
  [DUE]: "starts no later than",
  BEFORE: "starts before", AFTER: "starts after", EQUAL: "starts together with", VAGUE: "stands in no clear order to",
  CAUSES: "causes", CAUSED_BY: "is caused by", NONE: "does not cause",
};
const SHORT = { BEFORE: "before", AFTER: "after", EQUAL: "together", VAGUE: "unclear", NONE: "none", CAUSES: "causes", CAUSED_BY: "caused by" };

// make("p", "class", child, "text", ...): strings become text nodes, so nothing of a document is ever read as markup.
function make(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return made;
}

function draw(tag, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

// The links of an event, each read from it.
const linksOf = new Map(events.map((e) => [e.id, []]));
for (const link of data.links) {
  if (linksOf.has(link.s)) linksOf.get(link.s).push({ link, other: link.t, label: link.l });
  if (linksOf.has(link.t)) linksOf.get(link.t).push({ link, other: link.s, label: CONVERSE[link.l] });
}
const causes = data.links.filter((x) => x.k === "causal" && byId.has(x.s) && byId.has(x.t));
const shown = (link) => link.p >= state.least && (link.k === "causal" ? state.causal : state.temporal);
const isTime = (name) => name === "t0" || name in data.times;

// What a thing is called: the words of an event, a time with its value, or the document's own time.
function called(name) {
  if (byId.has(name)) return byId.get(name).word;
  if (name in data.times) {
    const { word, value } = data.times[name];
    return value && value !== word ? `${word} (${value})` : word;
  }
  return `time of writing (${data.created || "unknown"})`;
}

// The panel: one event with its sentence, its time, its relations and why each was chosen; or the whole at a glance.
const ORIGIN = { given: "annotated", model: "model", text: "text", inferred: "follows", dates: "by dates" };

function jump(name) {
  if (!byId.has(name)) return make("span", "time", called(name));
  const button = make("button", "jump", called(name));
  button.type = "button";
  button.dataset.id = name;
  return button;
}

// "a starts before b" as a line; p where it was not certain.
function step(said) {
  const x = Array.isArray(said) ? null : data.links[Math.abs(said) - 1];
  const by = x && x.w === DUE ? [x.s, DUE, x.t, x.p] : null;
  const [source, label, target, p] = by ? by : !x ? said : said > 0 ? [x.s, x.l, x.t, x.p] : [x.t, CONVERSE[x.l], x.s, x.p];
  return make("li", "", jump(source), ` ${SAYS[label]} `, jump(target), p < 1 ? make("small", "", ` ${percent(p)}`) : null);
}
const chain = (steps) => make("ol", "chain", ...steps.map(step));

function chances(link, turned) {
  const labels = LABELS[link.k];
  const list = make("ul", "chances");
  link.c.forEach((p, i) => {
    const label = turned ? CONVERSE[labels[i]] : labels[i];
    const meter = make("i", "meter");
    meter.style.width = `${p * 100}%`;
    list.append(make("li", labels[i] === link.l ? "taken" : "", make("span", "", SHORT[label]), make("span", "track", meter), make("span", "n", percent(p))));
  });
  return list;
}

const BECAUSE = {
  composition: "These relations leave no room for it:", cause: "A cause does not start after its effect:",
  time: "The order of the two does not allow it:", fixed: "It was given from outside.", search: "The search ended before a better graph was found.",
};

function why(link, turned) {
  const parts = [];
  if (link.o === "given") parts.push(make("p", "", "Annotated in the document", link.w ? ` as ${link.w}` : "", "."));
  if (link.o === "text") parts.push(make("p", "", `The text says so: ${link.k === "causal" ? "a causal signal joins the two" : "a date stands in the event's own clause"}.`));
  if (link.c) parts.push(make("p", "", "The model, of this pair alone:"), chances(link, turned));
  else if (link.o === "model") parts.push(make("p", "", `The model says so with a probability of ${percent(link.p)}.`));
  if (link.g) {
    const before = turned ? CONVERSE[link.g.l] : link.g.l;
    parts.push(make("p", "gave", `Changed: by itself the model preferred “${SHORT[before]}” (${percent(link.g.p)}). `, BECAUSE[link.g.r] || ""));
    if (link.g.b.length) parts.push(chain(link.g.b));
  }
  if (link.o === "inferred") parts.push(make("p", "", "Nobody said so of this pair; it follows from:"), chain(link.b));
  if (link.o === "dates") parts.push(make("p", "", "Their dates leave no other order:"), chain(link.b));
  return parts;
}

function relation({ link, other, label }, me) {
  const details = make("details", `link ${link.k}${shown(link) ? "" : " off"}`);
  const badge = make("span", `badge ${link.g ? "changed" : link.o}`, link.g ? "changed" : ORIGIN[link.o]);
  const summary = make("summary", "", jump(other), make("span", "p", percent(link.p)), badge);
  summary.title = "Why?";
  details.append(summary, make("div", "why", ...why(link, link.s !== me)));
  return details;
}

const GROUPS = [
  ["Caused by", "CAUSED_BY"], ["Causes", "CAUSES"], ["Starts after", "AFTER"], ["Starts together with", "EQUAL"],
  ["Starts before", "BEFORE"], ["No later than", DUE], ["No clear order to", "VAGUE"],
];

function group(title, all, me) {
  const sure = (x) => -x.link.p;
  const said = all.filter((x) => !["inferred", "dates"].includes(x.link.o)).sort((a, b) => sure(a) - sure(b));
  const derived = all.filter((x) => ["inferred", "dates"].includes(x.link.o)).sort((a, b) => sure(a) - sure(b));
  const part = make("section", "group", make("h3", "", title, make("small", "", ` ${all.length}`)), ...said.map((x) => relation(x, me)));
  if (derived.length && said.length + derived.length > 6) {
    const more = make("details", "more", make("summary", "", `${derived.length} more that follow${derived.length === 1 ? "s" : ""}`));
    more.addEventListener("toggle", () => { if (more.open && more.children.length === 1) more.append(...derived.map((x) => relation(x, me))); });
    part.append(more);
  } else part.append(...derived.map((x) => relation(x, me)));
  return part;
}

function quoted(pieces, me) {
  const quote = make("blockquote", "");
  for (const [text, ids] of pieces) quote.append(ids.includes(me) ? make("mark", "", text) : text);
  return quote;
}

function showEvent(e) {
  const parts = [make("button", "plain close", "×"), make("h2", "", e.word)];
  parts[0].setAttribute("aria-label", "Close");
  const facts = [e.kind.toLowerCase().replace(/_/g, " "), e.p < 1 ? `an event with ${percent(e.p)}` : "", e.layer ? `step ${e.layer}` : "order unknown"];
  parts.push(make("p", "facts", facts.filter(Boolean).join(" · ")), quoted(e.sentence, e.id));
  const dated = make("section", "group dated", make("h3", "", "When it began"));
  if (!e.when) dated.append(make("p", "quiet", "No date reaches this event."));
  else {
    dated.append(make("p", "big", e.when));
    if (e.guess) dated.append(make("p", "quiet", "The model's order of the events is behind this: a guess, drawn pale."));
    const reasons = make("details", "more", make("summary", "", "Which dates say so"));
    if (e.since.length) reasons.append(make("p", "", "not earlier, for"), chain(e.since));
    if (e.until.length) reasons.append(make("p", "", "not later, for"), chain(e.until));
    dated.append(reasons);
  }
  parts.push(dated);
  const all = linksOf.get(e.id);
  const hiding = all.filter((x) => !shown(x.link)).length;
  for (const [title, label] of GROUPS) {
    const these = all.filter((x) => (x.link.w === DUE ? DUE : x.label) === label && shown(x.link));
    if (these.length) parts.push(group(title, these, e.id));
  }
  if (hiding) parts.push(make("p", "quiet", `${hiding} relation${hiding === 1 ? " is" : "s are"} hidden by the filters above.`));
  if (!all.length) parts.push(make("p", "quiet", "Nothing is said of its relations to other events."));
  at("panel").replaceChildren(...parts);
  at("panel").scrollTop = 0;
}

function contradiction(c) {
  const what = c.kind === "dates" ? "These cannot all hold, by the calendar:" : "These cannot all hold:";
  return make("div", "clash", make("p", "", what), chain(c.cycle), make("p", "quiet", "Left out: "), chain([c.out]));
}

function showWhole() {
  const parts = [make("h2", "", "At a glance")];
  parts.push(make("p", "", "Events from top to bottom in the order in which they began. Choose one to see its sentence, its time and the reasons."));
  if (data.contradictions.length) {
    parts.push(make("section", "group", make("h3", "alarm", `Contradictions `, make("small", "", data.contradictions.length)), ...data.contradictions.map(contradiction)));
  }
  if (data.notes.length) parts.push(make("section", "group", make("h3", "", "Notes"), ...data.notes.map((n) => make("p", "", n))));
  const strongest = causes.filter(shown).sort((a, b) => b.p - a.p).slice(0, 12);
  if (strongest.length) {
    const lines = strongest.map((x) => step(x.l === "CAUSED_BY" ? [x.t, "CAUSES", x.s, x.p] : [x.s, x.l, x.t, x.p]));
    parts.push(make("section", "group", make("h3", "", "Causes ", make("small", "", causes.filter(shown).length)), make("ol", "chain", ...lines)));
  }
  const key = [
    ["k-cause", "causes (number: percent)"], ["k-order", "starts before, where no other line says it"], ["k-same", "start together"],
    ["k-span", "the event began in this time"], ["k-fade", "known on one side only"], ["k-written", "time of writing"], ["k-band", "one step: order among these unknown"],
    ["k-dot full", "earlier than the chosen event"], ["k-dot", "later than the chosen event"],
  ];
  parts.push(make("section", "group", make("h3", "", "How to read it"), make("ul", "key", ...key.map(([name, text]) => make("li", "", make("i", name), text)))));
  const keys = [["↑ ↓", "next event"], ["Enter", "its details"], ["Esc", "back"], ["/", "search"], ["c  o", "causes, order on and off"]];
  parts.push(make("section", "group", make("h3", "", "Keys"), make("ul", "keys", ...keys.map(([k, text]) => make("li", "", make("kbd", "", k), text)))));
  at("panel").replaceChildren(...parts);
}

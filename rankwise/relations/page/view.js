// The whole: what is chosen, filtered and searched, and how that shows in chart, text and panel.
const marks = new Map(events.map((e) => [e.id, []]));

function drawText() {
  for (const [text, ids] of data.text) {
    const own = ids.filter((id) => byId.has(id));
    if (!ids.length) { at("text").append(text); continue; }
    const piece = make("span", own.length ? "event" : "time", text);
    if (own.length) {
      piece.dataset.id = own[own.length - 1];
      own.forEach((id) => marks.get(id).push(piece));
    } else piece.title = called(ids[0]);
    at("text").append(piece);
  }
}

const finds = (e) => `${e.word} ${e.rest} ${e.kind} ${e.when}`.toLowerCase().includes(state.search);

// The label of each other event as seen from the chosen one.
function seen() {
  const labels = new Map();
  for (const { link, other, label } of state.chosen ? linksOf.get(state.chosen) : []) {
    if (link.k === "temporal" && shown(link)) labels.set(other, label);
  }
  return labels;
}

function refresh() {
  const labels = seen(), focus = state.over || state.chosen;
  let found = 0;
  events.forEach((e, row) => {
    const line = rows[row], hit = !state.search || finds(e);
    found += hit;
    const chosen = e.id === state.chosen;
    line.className = "row" + (chosen ? " chosen" : "") + (e.id === state.over ? " over" : "") + (hit && e.p >= state.least ? "" : " dim")
      + (state.search && hit ? " hit" : "") + (labels.has(e.id) ? ` is-${labels.get(e.id).toLowerCase()}` : "");
    line.setAttribute("aria-selected", chosen);
    for (const piece of marks.get(e.id)) {
      piece.classList.toggle("chosen", chosen);
      piece.classList.toggle("over", e.id === state.over);
      piece.classList.toggle("dim", !hit || e.p < state.least);
    }
  });
  let drawn = 0;
  for (const { group, link } of arcs) {
    const on = shown(link), mine = link.s === focus || link.t === focus;
    drawn += on && link.k === "causal";
    group.classList.toggle("off", !on);
    group.classList.toggle("mine", on && Boolean(focus) && mine);
    group.classList.toggle("others", Boolean(focus) && !mine);
  }
  document.body.classList.toggle("choosing", Boolean(state.chosen));
  const order = data.links.filter((x) => x.k === "temporal" && shown(x));
  const derived = order.filter((x) => x.o === "inferred" || x.o === "dates").length;
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  at("sum").textContent = [
    data.created ? `written ${data.created}` : "", state.search ? `${found} of ${count(events.length, "event", "events")}` : count(events.length, "event", "events"),
    count(drawn, "cause", "causes"), `${count(order.length, "relation", "relations")} in time${derived ? `, ${derived} of them derived` : ""}`,
  ].filter(Boolean).join(" · ");
  at("least-says").textContent = percent(state.least);
  for (const name of ["causal", "temporal"]) at(name).setAttribute("aria-pressed", state[name]);
}

function intoView(element, holder) {
  const box = element.getBoundingClientRect(), frame = holder.getBoundingClientRect();
  if (box.top < frame.top + 44 || box.bottom > frame.bottom - 12) holder.scrollTop += box.top - frame.top - frame.height / 2;
}

function choose(id, { scroll = true } = {}) {
  state.chosen = id;
  if (id) {
    showEvent(byId.get(id));
    at("rows").setAttribute("aria-activedescendant", `row-${byId.get(id).row}`);
    if (scroll) intoView(rows[byId.get(id).row], document.querySelector(".chart"));
    if (marks.get(id).length) intoView(marks.get(id)[0], document.querySelector(".text"));
  } else {
    at("rows").removeAttribute("aria-activedescendant");
    showWhole();
  }
  refresh();
}

const repaint = () => { refresh(); if (state.chosen) showEvent(byId.get(state.chosen)); else showWhole(); };
const flip = (name) => { state[name] = !state[name]; repaint(); };

function over(id) {
  if (state.over === id) return;
  state.over = id;
  refresh();
}

function move(by) {
  const open = events.filter((e) => !state.search || finds(e));
  if (!open.length) return;
  const now = open.findIndex((e) => e.id === state.chosen);
  const next = now < 0 ? (by > 0 ? 0 : open.length - 1) : Math.min(Math.max(now + by, 0), open.length - 1);
  choose(open[next].id);
}

function keys(press) {
  const typing = press.target.tagName === "INPUT" && press.target.type === "search";
  if (press.ctrlKey || press.metaKey || press.altKey) return;
  if (press.key === "Escape") {
    if (state.search) { state.search = at("find").value = ""; repaint(); } else choose(null);
    at("rows").focus({ preventScroll: true });
  } else if (typing) {
    if (press.key === "Enter" || press.key === "ArrowDown") { press.preventDefault(); move(1); }
    if (press.key === "ArrowUp") { press.preventDefault(); move(-1); }
  } else if (press.key === "/") { press.preventDefault(); at("find").focus(); }
  else if (press.key === "c") flip("causal");
  else if (press.key === "o") flip("temporal");
  else if (document.activeElement === at("rows")) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -events.length, End: events.length }[press.key];
    if (by) { press.preventDefault(); move(by); }
    if (press.key === "Enter" && state.chosen) at("panel").focus();
  }
}

function wire() {
  const of = (event) => { const holder = event.target.closest("[data-id]"); return holder ? holder.dataset.id : null; };
  at("rows").addEventListener("click", (click) => { const id = of(click); if (id) choose(id === state.chosen ? null : id, { scroll: false }); });
  at("text").addEventListener("click", (click) => { const id = of(click); if (id) choose(id); });
  at("panel").addEventListener("click", (click) => {
    if (click.target.closest(".close")) { choose(null); at("rows").focus({ preventScroll: true }); }
    const id = of(click);
    if (id) { click.preventDefault(); choose(id); at("panel").focus({ preventScroll: true }); }
  });
  for (const name of ["rows", "text", "panel"]) {
    at(name).addEventListener("mouseover", (event) => over(of(event)));
    at(name).addEventListener("mouseleave", () => over(null));
  }
  at("find").addEventListener("input", () => { state.search = at("find").value.trim().toLowerCase(); refresh(); });
  at("least").addEventListener("input", () => { state.least = at("least").value / 100; repaint(); });
  for (const name of ["causal", "temporal"]) at(name).addEventListener("click", () => flip(name));
  at("alert").addEventListener("click", () => choose(null));
  at("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  document.addEventListener("keydown", keys);
}

if (data.contradictions.length) {
  at("alert").hidden = false;
  at("alert").textContent = `⚠ ${data.contradictions.length} contradiction${data.contradictions.length === 1 ? "" : "s"}`;
}
drawBands();
drawAxis();
drawRows();
drawArcs();
drawText();
wire();
choose(null);

// The chart: one row for each event, layer by layer; arcs on the left, the time axis on the right.
const HIGH = events.length > 80 ? 26 : 34;
const GAP = events.length > 80 ? 6 : 10;
const GUTTER = 148;
const SPINE = GUTTER - 16;
const tops = [];
let height = 8;
events.forEach((e, row) => {
  if (row && e.layer !== events[row - 1].layer) height += GAP;
  tops.push(height);
  height += HIGH;
});
height += 10;
const middle = (row) => tops[row] + HIGH / 2;
const loose = events.findIndex((e) => e.layer === 0);
const rows = [];
const arcs = [];

// Instants that bound something, and where they lie from 0 to 1: to scale, or evenly where a scale would crowd them.
const instants = [...new Set(events.flatMap((e) => [e.low, e.high]).concat(data.written).filter((x) => x !== null))].sort((a, b) => a - b);
const span = instants.length > 1 ? instants[instants.length - 1] - instants[0] : 0;
const crowded = span > 0 && instants.filter((x, i) => i && (x - instants[i - 1]) / span < 0.03).length > instants.length / 3;
const MARGIN = 0.07; // room at both ends, into which what has no bound there fades
function place(instant) {
  if (!span) return 0.5;
  let share = (instant - instants[0]) / span;
  if (crowded) {
    const next = Math.max(1, instants.findIndex((x) => x >= instant));
    share = (next - 1 + (instant - instants[next - 1]) / (instants[next] - instants[next - 1])) / (instants.length - 1);
  }
  return MARGIN + share * (1 - 2 * MARGIN);
}
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
function tell(instant, coarse) {
  const d = new Date(instant);
  if (coarse === "year") return `${d.getUTCFullYear()}`;
  if (coarse === "month") return `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  const clock = instant % 86400000 ? ` ${String(d.getUTCHours()).padStart(2, "0")}:${String(d.getUTCMinutes()).padStart(2, "0")}` : "";
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}${clock}`;
}

function drawAxis() {
  const holder = make("div", "ticks");
  if (!instants.length) {
    at("axis").classList.add("undated");
    at("axis").append(make("span", "caption", "No date fixes these events: only their order is known, from top to bottom."));
    document.body.classList.add("undated");
    return;
  }
  at("axis").append(make("span", "caption", "earlier above, later below"), holder);
  const lines = make("div", "grid");
  const coarse = span > 4 * 365 * 86400000 ? "year" : span > 300 * 86400000 ? "month" : "";
  let last = -1, said = "";
  for (const instant of instants) {
    const x = place(instant), text = tell(instant, coarse);
    const wide = coarse === "year" ? 0.14 : 0.27, right = x > 0.85;
    if (x - last < (right ? 2 * wide : wide) || text === said) continue;
    last = x;
    said = text;
    const tick = make("span", "tick", text);
    tick.style.left = `${x * 100}%`;
    if (right) tick.classList.add("right");
    holder.append(tick);
    const line = make("i", "line");
    line.style.left = `${x * 100}%`;
    lines.append(line);
  }
  if (data.written !== null) {
    const line = make("i", "line written");
    line.style.left = `${place(data.written) * 100}%`;
    line.title = "time of writing";
    lines.append(line);
  }
  if (crowded) holder.append(make("span", "scale", "dates evenly spaced, not to scale"));
  lines.style.height = `${height}px`;
  at("bands").append(lines);
}

function drawBands() {
  let first = 0;
  events.forEach((e, row) => {
    const end = row === events.length - 1 || events[row + 1].layer !== e.layer;
    if (!end) return;
    const band = make("div", e.layer === 0 ? "band loose" : "band");
    band.style.top = `${tops[first] - GAP / 2}px`;
    band.style.height = `${tops[row] + HIGH - tops[first] + GAP}px`;
    band.append(make("span", "step", e.layer === 0 ? "order unknown" : `${e.layer}`));
    at("bands").append(band);
    first = row + 1;
  });
}

function bar(e) {
  const cell = make("span", "when");
  if (e.low === null && e.high === null) return cell;
  const from = e.low === null ? 0 : place(e.low), to = e.high === null ? 1 : place(e.high);
  const piece = make("i", "span");
  piece.style.left = `${from * 100}%`;
  piece.style.width = `${Math.max(to - from, 0.012) * 100}%`;
  if (e.low === null) piece.classList.add("fades-left");
  if (e.high === null) piece.classList.add("fades-right");
  if (e.guess) piece.classList.add("guess");
  const says = make("span", "says", e.when);
  if (to < 0.62) says.style.left = `${to * 100}%`;
  else if (from > 0.45) says.style.right = `${(1 - from) * 100}%`;
  else { // no room on either side: above the bar, at its firm end
    cell.classList.add("two");
    if (e.low === null) says.style.right = `${(1 - to) * 100}%`;
    else says.style.left = `${from * 100}%`;
  }
  cell.append(piece, says);
  return cell;
}

function drawRows() {
  at("rows").style.height = `${height}px`;
  events.forEach((e, row) => {
    const line = make("li", "row", make("i", "dot"), make("span", "label", make("b", "", e.word), make("span", "rest", e.glued ? e.rest : ` ${e.rest}`)), bar(e));
    line.id = `row-${row}`;
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", "false");
    line.setAttribute("aria-label", `${e.word}${e.layer ? `, step ${e.layer}` : ", order unknown"}${e.when ? `, ${e.when}` : ""}`);
    line.style.top = `${tops[row]}px`;
    line.style.height = `${HIGH}px`;
    line.dataset.id = e.id;
    if (e.p < 1) {
      line.querySelector("b").style.opacity = 0.55 + 0.45 * e.p;
      line.querySelector(".label").append(make("small", "", percent(e.p)));
    }
    rows.push(line);
    at("rows").append(line);
  });
}

function arc(link, kind, from, to, wide) {
  const y1 = middle(from), y2 = middle(to), end = kind === "cause" ? SPINE - 9 : SPINE;
  const bulge = Math.min(wide, (kind === "cause" ? 30 : 12) + 13 * Math.sqrt(Math.abs(to - from)));
  const group = draw("g", { class: `arc ${kind}` }, at("arcs"));
  draw("path", { d: `M${SPINE} ${y1}C${SPINE - bulge} ${y1} ${end - bulge} ${y2} ${end} ${y2}`, "stroke-opacity": 0.25 + 0.75 * link.p ** 2 }, group);
  if (kind === "cause") {
    draw("path", { class: "head", d: `M${SPINE - 5} ${y2}l-8 -4v8z`, "fill-opacity": 0.35 + 0.65 * link.p }, group);
    if (link.p < 1) draw("text", { x: SPINE - 0.75 * bulge, y: (y1 + y2) / 2 + 3.5 }, group).textContent = percent(link.p).replace(" %", "");
  }
  arcs.push({ group, link });
}

function drawArcs() {
  const svg = at("arcs");
  svg.setAttribute("width", GUTTER);
  svg.setAttribute("height", height);
  const last = loose < 0 ? events.length - 1 : loose - 1;
  if (last > 0) draw("line", { class: "spine", x1: SPINE, x2: SPINE, y1: middle(0), y2: middle(last) }, svg);
  for (const x of data.links) {
    if (x.d && x.l !== "EQUAL" && byId.has(x.s) && byId.has(x.t)) {
      const [s, t] = x.l === "AFTER" ? [x.t, x.s] : [x.s, x.t];
      arc(x, "order", byId.get(s).row, byId.get(t).row, 74);
    }
    if (x.k === "temporal" && x.l === "EQUAL" && byId.has(x.s) && byId.has(x.t) && Math.abs(byId.get(x.s).row - byId.get(x.t).row) === 1) {
      const top = Math.min(byId.get(x.s).row, byId.get(x.t).row);
      const group = draw("g", { class: "arc same" }, svg);
      draw("line", { x1: SPINE, x2: SPINE, y1: middle(top), y2: middle(top + 1) }, group);
      arcs.push({ group, link: x });
    }
  }
  for (const x of causes) {
    const [s, t] = x.l === "CAUSED_BY" ? [x.t, x.s] : [x.s, x.t];
    arc(x, "cause", byId.get(s).row, byId.get(t).row, (GUTTER - 30) / 0.75);
  }
}

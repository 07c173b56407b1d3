// The map of communities, or of sites: points on plain coordinates, no tiles. The table says the
// same in words.
"use strict";

// Drawn from the back: what matters most lies on top. A shape tells what its colour tells.
const COMMUNITIES = [
  { colour: "blue", label: "一般风险（蓝色）", symbol: "circle", size: 7, fill: "#1a5fb4", opacity: 0.6 },
  { colour: "grey", label: "暂无数据（灰色）", symbol: "emptyRect", size: 9, fill: "#5b6470", opacity: 1 },
  { colour: "yellow", label: "中等风险（黄色）", symbol: "triangle", size: 15, fill: "#c98500", opacity: 1 },
  { colour: "red", label: "高风险（红色）", symbol: "diamond", size: 18, fill: "#c0261f", opacity: 1 },
];
const SITES = [
  { colour: "resting", label: "不在施工", symbol: "emptyRect", size: 7, fill: "#5b6470", opacity: 1 },
  { colour: "reported", label: "已报", symbol: "circle", size: 8, fill: "#1d6b3c", opacity: 0.8 },
  { colour: "waiting", label: "还没报", symbol: "emptyCircle", size: 9, fill: "#1a5fb4", opacity: 1 },
  { colour: "flagged", label: "已报，要核对", symbol: "rect", size: 10, fill: "#8f5500", opacity: 1 },
  { colour: "late", label: "过时未报", symbol: "triangle", size: 13, fill: "#c98500", opacity: 1 },
  { colour: "open_case", label: "有人待核查", symbol: "diamond", size: 16, fill: "#c0261f", opacity: 1 },
];
// A share of what is shown: few points leave room for the names of streets.
const EDGE = 0.04;
const WIDE_EDGE = 0.12;
const FEW = 200;

for (const card of document.querySelectorAll("[data-map]")) {
  card.hidden = false;
  draw(card).catch(() => {
    const told = card.querySelector(".map-told");
    const again = document.createElement("button");
    again.type = "button";
    again.className = "plain";
    again.textContent = "再试一次";
    again.addEventListener("click", () => location.reload());
    told.replaceChildren(`地图没有加载出来，请看下面的${card.dataset.list}。`, again);
    card.querySelector(".map-place").hidden = true;
  });
}

async function draw(card) {
  const answered = await fetch(card.dataset.map, { credentials: "same-origin" });
  if (!answered.ok || !(answered.headers.get("Content-Type") || "").includes("json")) throw new Error();
  const { points, fields } = await answered.json();
  const at = Object.fromEntries(fields.map((name, place) => [name, place]));
  const kinds = "heads" in at ? SITES : COMMUNITIES;
  const map = { points, at, kinds };
  const place = card.querySelector(".map-place");
  if (!points.length) {
    place.hidden = true;
    card.querySelector(".map-told").textContent = `都没有坐标，请看下面的${card.dataset.list}。`;
    return;
  }
  const chart = echarts.init(place, null, { renderer: "canvas" });
  const shown = new Set(kinds.map((kind) => kind.colour));
  const extent = extentOf(points, at);
  const show = () => chart.setOption(optionOf(map, shown, fitted(extent, place)), { notMerge: true });
  for (const key of card.querySelectorAll("[data-colour]")) {
    key.addEventListener("click", () => {
      const { colour } = key.dataset;
      const isShown = !shown.delete(colour);
      if (isShown) shown.add(colour);
      key.setAttribute("aria-pressed", String(isShown));
      show();
    });
  }
  chart.on("click", (event) => {
    if (event.seriesType === "scatter" && event.data?.id) location.assign(card.dataset.page + event.data.id);
  });
  new ResizeObserver(() => {
    chart.resize();
    show();
  }).observe(place);
  show();
}

function extentOf(points, at) {
  const span = (name) => {
    const values = points.map((point) => point[at[name]]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = Math.max((high - low) * (points.length > FEW ? EDGE : WIDE_EDGE), 0.001);
    return [low - margin, high + margin];
  };
  return { east: span("longitude"), north: span("latitude") };
}

// A degree of longitude is shorter than one of latitude: both axes get as many metres per pixel.
function fitted({ east, north }, place) {
  const middle = (span) => (span[0] + span[1]) / 2;
  const squeeze = Math.cos((middle(north) * Math.PI) / 180);
  const [width, height] = [(east[1] - east[0]) * squeeze, north[1] - north[0]];
  const perPixel = Math.max(width / place.clientWidth, height / place.clientHeight);
  const around = (span, size) => [middle(span) - size / 2, middle(span) + size / 2];
  return {
    east: around(east, (perPixel * place.clientWidth) / squeeze),
    north: around(north, perPixel * place.clientHeight),
  };
}

function optionOf({ points, at, kinds }, shown, view) {
  const axis = ([min, max]) => ({ type: "value", min, max, show: false });
  return {
    animation: false,
    grid: { left: 0, right: 0, top: 0, bottom: 0 },
    xAxis: axis(view.east),
    yAxis: axis(view.north),
    // Rich text is drawn: a box of markup would bring styles that the page forbids.
    tooltip: { trigger: "item", renderMode: "richText", confine: true, formatter: ({ data }) => data?.told || "" },
    series: [
      ...outlinesOf(points, at),
      ...kinds.filter((kind) => shown.has(kind.colour)).map((kind) => seriesOf(kind, points, at)),
      namesOf(points, at),
    ],
  };
}

function seriesOf(kind, points, at) {
  const data = points
    .filter((point) => point[at.colour] === kind.colour)
    .map((point) => ({
      id: point[at.id],
      value: [point[at.longitude], point[at.latitude]],
      told: toldOf(kind, point, at),
    }));
  return {
    type: "scatter",
    data,
    symbol: kind.symbol,
    symbolSize: points.length > FEW ? kind.size : kind.size * 1.5,
    itemStyle: { color: kind.fill, opacity: kind.opacity, borderColor: kind.fill },
    emphasis: { scale: 1.6 },
    cursor: "pointer",
    z: 2,
  };
}

function toldOf(kind, point, at) {
  if ("heads" in at) {
    const heads = point[at.heads] === null ? "" : `，${point[at.heads]} 人`;
    const cases = point[at.cases] ? `\n待核查 ${point[at.cases]} 人` : "";
    return `${point[at.name]}\n${point[at.street]}\n${kind.label}${heads}${cases}`;
  }
  const score = point[at.score] === null ? "" : `，${point[at.score].toFixed(1)} 分`;
  const before = COMMUNITIES.find((one) => one.colour === point[at.before]);
  const moved = before && before !== kind ? `\n前一次：${before.label}` : "";
  return `${point[at.name]}\n${point[at.street]}\n${kind.label}${score}${moved}`;
}

function streetsOf(points, at) {
  const streets = new Map();
  for (const point of points) {
    const name = point[at.street];
    if (!streets.has(name)) streets.set(name, []);
    streets.get(name).push([point[at.longitude], point[at.latitude]]);
  }
  return streets;
}

function outlinesOf(points, at) {
  return [...streetsOf(points, at).values()]
    .filter((places) => places.length > 2)
    .map((places) => {
      const hull = hullOf(places);
      return {
        type: "line",
        data: [...hull, hull[0]],
        symbol: "none",
        silent: true,
        z: 1,
        lineStyle: { color: "#d5dae0", width: 1 },
      };
    });
}

function namesOf(points, at) {
  const data = [...streetsOf(points, at)].map(([name, places]) => ({
    name,
    value: [0, 1].map((side) => places.reduce((sum, one) => sum + one[side], 0) / places.length),
  }));
  return {
    type: "scatter",
    data,
    silent: true,
    z: 4,
    symbolSize: 0.1,
    label: {
      show: true,
      position: points.length > FEW ? "inside" : "top",
      formatter: "{b}",
      color: "#1d2129",
      fontSize: 12,
      textBorderColor: "#ffffff",
      textBorderWidth: 3,
    },
  };
}

// The corners of the smallest outline without dents (Andrew's monotone chain).
function hullOf(places) {
  const sorted = [...places].sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  const half = (ordered) => {
    const corners = [];
    for (const next of ordered) {
      while (corners.length > 1 && turn(corners.at(-2), corners.at(-1), next) <= 0) corners.pop();
      corners.push(next);
    }
    return corners.slice(0, -1);
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

function turn(start, middle, end) {
  return (middle[0] - start[0]) * (end[1] - start[1]) - (middle[1] - start[1]) * (end[0] - start[0]);
}

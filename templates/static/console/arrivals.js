// Arrivals by time with how sure they are, the posts below them, and the queue of a "what if": the
// tables of the page say the same in words.
"use strict";

const COLOURS = {
  soft: "#5b6470",
  line: "#e3e6ea",
  expected: "#1a5fb4",
  band80: "#a9c8ec",
  band95: "#dde9f7",
  came: "#b3400f",
  posts: "#6b5900",
  floor: "#f1e9c4",
  peak: "#fdf6e7",
};
const NARROW = 600;
const LINE = { type: "line", symbol: "none", emphasis: { disabled: true } };

for (const card of document.querySelectorAll("[data-curve]")) {
  card.hidden = false;
  draw(card.querySelector(".curve-place"), JSON.parse(card.dataset.curve));
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

function draw(place, curve) {
  const chart = echarts.init(place, null, { renderer: "canvas" });
  const show = () => chart.setOption(optionOf(curve, place.clientWidth < NARROW), { notMerge: true });
  new ResizeObserver(() => {
    chart.resize();
    show();
  }).observe(place);
  show();
}

function optionOf(curve, isNarrow) {
  const sides = { left: isNarrow ? 40 : 48, right: 14 };
  const upper = { ...sides, top: 30, bottom: curve.posts ? 126 : 30 };
  const lower = { ...sides, height: 62, bottom: 30 };
  const unit = curve.waiting ? "排队人数" : `人/${curve.step_minutes} 分钟`;
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: curve.posts ? [upper, lower] : [upper],
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: COLOURS.soft } },
    xAxis: curve.posts
      ? [timeAxis(curve, isNarrow, 0, false), timeAxis(curve, isNarrow, 1, true)]
      : [timeAxis(curve, isNarrow, 0, true)],
    yAxis: curve.posts ? [countAxis(unit, 0), countAxis("岗位", 1)] : [countAxis(unit, 0)],
    // Rich text is drawn: a box of markup would bring styles that the page forbids.
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      formatter: (shown) => toldOf(curve, shown[0].dataIndex),
    },
    series: curve.waiting ? queueOf(curve) : [...bandsOf(curve), ...linesOf(curve), ...postsOf(curve)],
  };
}

function timeAxis(curve, isNarrow, gridIndex, isTold) {
  const hours = isNarrow ? 6 : 2;
  const isMarked = (place) => curve.hours[place] !== null && curve.hours[place] % hours === 0;
  return {
    type: "category",
    gridIndex,
    data: curve.times,
    boundaryGap: false,
    axisLine: { lineStyle: { color: COLOURS.soft } },
    axisTick: { show: isTold, interval: isMarked, lineStyle: { color: COLOURS.soft } },
    axisLabel: {
      show: isTold,
      interval: isMarked,
      color: COLOURS.soft,
      fontSize: 12,
      formatter: (text, place) => (curve.hours[place] === 0 ? curve.days[place] : text),
    },
  };
}

function countAxis(name, gridIndex) {
  return {
    type: "value",
    gridIndex,
    name,
    nameGap: 10,
    nameTextStyle: { color: COLOURS.soft, fontSize: 12, align: "left", padding: [0, 0, 0, -34] },
    minInterval: 1,
    splitNumber: gridIndex ? 2 : 4,
    axisLabel: { color: COLOURS.soft, fontSize: 12 },
    splitLine: { lineStyle: { color: COLOURS.line } },
  };
}

// A band is what lies between two lines that are not drawn: the lower one, and the rest on top.
function bandsOf(curve) {
  const unseen = { ...LINE, silent: true, lineStyle: { opacity: 0 } };
  return ["95", "80"].flatMap((width) => {
    const [low, high] = [curve[`low${width}`], curve[`high${width}`]];
    return [
      { ...unseen, stack: width, data: low },
      {
        ...unseen,
        stack: width,
        data: high.map((top, place) => top - low[place]),
        areaStyle: { color: COLOURS[`band${width}`], opacity: 1 },
      },
    ];
  });
}

function lineOf(data, colour) {
  return { ...LINE, data, lineStyle: { color: colour, width: 1.6 }, itemStyle: { color: colour }, z: 4 };
}

function linesOf(curve) {
  const peaks = curve.peaks.map(([start, end]) => [{ xAxis: start }, { xAxis: end }]);
  const expected = {
    ...lineOf(curve.mean, COLOURS.expected),
    markArea: { silent: true, data: peaks, itemStyle: { color: COLOURS.peak } },
  };
  return curve.actual ? [expected, lineOf(curve.actual, COLOURS.came)] : [expected];
}

function postsOf(curve) {
  if (!curve.posts) return [];
  return [
    {
      ...lineOf(curve.posts, COLOURS.posts),
      step: "end",
      xAxisIndex: 1,
      yAxisIndex: 1,
      areaStyle: { color: COLOURS.floor, opacity: 1 },
    },
  ];
}

function queueOf(curve) {
  return [
    { ...LINE, data: curve.high_waiting, silent: true, lineStyle: { opacity: 0 }, areaStyle: { color: COLOURS.band80, opacity: 1 } },
    lineOf(curve.waiting, COLOURS.expected),
  ];
}

function toldOf(curve, place) {
  const told = [`${curve.days[place]} ${curve.times[place]}`];
  if (curve.waiting) {
    return [
      ...told,
      `排队 ${curve.waiting[place]} 人，约等 ${curve.wait_minutes[place]} 分钟`,
      `人多时排队 ${curve.high_waiting[place]} 人`,
    ].join("\n");
  }
  const range = (width) => `${Math.floor(curve[`low${width}`][place])}–${Math.ceil(curve[`high${width}`][place])} 人`;
  told.push(`预计 ${Math.round(curve.mean[place])} 人`, `80% 可能 ${range("80")}`, `95% 可能 ${range("95")}`);
  if (curve.actual) told.push(curve.actual[place] === null ? "没有计数" : `实到 ${curve.actual[place]} 人`);
  if (curve.posts) told.push(`${curve.posts[place]} 个岗位`);
  return told.join("\n");
}

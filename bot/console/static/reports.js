// Draws the charts of a report from the facts that stand beside each canvas. The colours are
// those of Okabe and Ito, which colour-blind people can tell apart; every value is written out.
"use strict";

const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a8a"];
const LIGHT = new Set(["#e69f00", "#56b4e9", "#cc79a7"]);
const FAMILY = getComputedStyle(document.body).fontFamily;

const shown = (value) => Number(value).toLocaleString("en", { maximumFractionDigits: 1 });

/* Writes each value into its bar where there is room, and the whole at the end. */
const values = {
  id: "values",
  afterDatasetsDraw(chart, _args, options) {
    const { ctx } = chart;
    const sums = {};
    ctx.save();
    ctx.font = `600 13px ${FAMILY}`;
    ctx.textBaseline = "middle";
    chart.data.datasets.forEach((series, number) => {
      if (!chart.isDatasetVisible(number)) return;
      chart.getDatasetMeta(number).data.forEach((mark, place) => {
        const value = series.data[place];
        if (value === null) return;
        const text = shown(value);
        if (options.stacked) {
          const sum = (sums[place] ??= { value: 0, x: mark.x, y: mark.y });
          sum.value += value;
          sum.x = options.lying ? Math.max(sum.x, mark.x) : mark.x;
          sum.y = options.lying ? mark.y : Math.min(sum.y, mark.y);
          const width = options.lying ? Math.abs(mark.x - mark.base) : mark.width;
          const height = options.lying ? mark.height : Math.abs(mark.y - mark.base);
          if (width < ctx.measureText(text).width + 6 || height < 16) return;
          ctx.fillStyle = LIGHT.has(series.backgroundColor) ? "#23201c" : "#fff";
          ctx.textAlign = "center";
          const x = options.lying ? (mark.x + mark.base) / 2 : mark.x;
          ctx.fillText(text, x, options.lying ? mark.y : (mark.y + mark.base) / 2);
        } else {
          ctx.fillStyle = "#23201c";
          ctx.textAlign = options.lying ? "left" : "center";
          ctx.fillText(text, options.lying ? mark.x + 5 : mark.x, options.lying ? mark.y : mark.y - 14);
        }
      });
    });
    ctx.fillStyle = "#23201c";
    Object.values(sums).forEach((sum) => {
      ctx.textAlign = options.lying ? "left" : "center";
      ctx.fillText(shown(sum.value), sum.x + (options.lying ? 5 : 0), sum.y - (options.lying ? 0 : 10));
    });
    ctx.restore();
  },
};

function draw(canvas) {
  const facts = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  const line = facts.kind === "line";
  const stacked = facts.kind === "stacked" || facts.kind === "weeks";
  const lying = facts.kind === "bars" || facts.kind === "stacked";
  const font = { family: FAMILY, size: 14 };
  const name = { ticks: { font, color: "#23201c", autoSkip: false }, grid: { display: false }, stacked };
  const count = {
    beginAtZero: true,
    grace: stacked && !lying ? "8%" : "12%",
    stacked,
    ticks: { font, color: "#5d564e", maxTicksLimit: 6, precision: facts.unit ? undefined : 0 },
    title: { display: Boolean(facts.unit), text: facts.unit, font },
  };
  new Chart(canvas, {
    type: line ? "line" : "bar",
    data: {
      labels: facts.labels,
      datasets: facts.series.map((series, number) => ({
        label: series.name,
        data: series.values,
        backgroundColor: COLOURS[number % COLOURS.length],
        borderColor: line ? COLOURS[number % COLOURS.length] : "#fff",
        borderWidth: line ? 3 : 1,
        pointRadius: 5,
        spanGaps: true,
        maxBarThickness: 46,
      })),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      layout: { padding: { right: lying ? 40 : 0, top: lying ? 0 : 12 } },
      indexAxis: lying ? "y" : "x",
      scales: lying ? { x: count, y: name } : { x: name, y: count },
      plugins: {
        values: { stacked, lying },
        legend: { display: facts.series.length > 1, position: "bottom", labels: { font, color: "#23201c" } },
      },
    },
    plugins: [values],
  });
  canvas.dataset.drawn = "yes";
}

document.querySelectorAll("canvas[data-chart]").forEach(draw);

"use strict";
// The numbers stand in the page and in its table; this only draws them.
const numbers = JSON.parse(document.getElementById("error-numbers").textContent);
new Chart(document.getElementById("error-chart"), {
  type: "line",
  data: {
    labels: numbers.labels,
    datasets: [{ label: numbers.name, data: numbers.percent, borderColor: "#b3541e",
      backgroundColor: "#b3541e", borderWidth: 3, pointRadius: 4, tension: 0.2, spanGaps: true }],
  },
  options: {
    animation: false, responsive: true, maintainAspectRatio: false,
    scales: { y: { beginAtZero: true, ticks: { callback: (value) => `${value}%` } } },
  },
});

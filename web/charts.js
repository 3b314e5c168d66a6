/* Draws every `canvas[data-chart]` with Chart.js, in the colours of the stylesheet; again when those change. */

const COLOURS = 7
const TOP = 12
const drawn = new Map()

const WRITERS = {
  number: new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 3 }),
  usd: new Intl.NumberFormat(undefined, { style: 'currency', currency: 'USD', maximumSignificantDigits: 3 }),
}

function write(unit, value) {
  if (unit === 'ms') return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`
  if (unit === 'percent') return `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`
  return (WRITERS[unit] ?? WRITERS.number).format(value)
}

/** `light-dark()` is no colour to a canvas: the browser is asked what it has come to. */
function colourOf(name) {
  const probe = document.createElement('i')
  probe.hidden = true
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** Labels that are times, in the viewer's own zone: with the hour where there are hours. */
function timeLabels(labels) {
  const hasHours = labels.some((label) => label.length > 10)
  const format = new Intl.DateTimeFormat(
    undefined,
    hasHours
      ? { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' }
      : { month: 'short', day: 'numeric', timeZone: 'UTC' },
  )
  return labels.map((label) => format.format(new Date(label)))
}

function draw(canvas) {
  const { type, labels, series, unit, times } = JSON.parse(canvas.dataset.chart)
  const palette = Array.from({ length: COLOURS }, (_, i) => colourOf(`--chart-${i + 1}`))
  const [text, line, surface, bad] = ['--muted', '--line', '--surface', '--bad'].map(colourOf)
  const colourAt = (i) => (series[i].tone === 'bad' ? bad : palette[i % COLOURS])
  const isRound = type === 'doughnut'
  const isLine = type === 'line'
  drawn.get(canvas)?.destroy()
  const chart = new Chart(canvas, {
    type: isRound ? 'doughnut' : isLine ? 'line' : 'bar',
    data: {
      labels: times ? timeLabels(labels) : labels.map((label) => label ?? 'none'),
      datasets: series.map(({ label, data }, i) => ({
        label,
        data,
        backgroundColor: isRound ? data.map((_, part) => palette[part % COLOURS]) : colourAt(i),
        borderColor: isRound ? surface : colourAt(i),
        borderWidth: isLine ? 2 : isRound ? 2 : 0,
        borderRadius: isLine || isRound ? 0 : 3,
        maxBarThickness: 36,
        pointRadius: 0,
        pointHitRadius: 12,
        tension: 0.25,
        spanGaps: true,
      })),
    },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: isRound ? 'nearest' : 'index', intersect: isRound },
      ...(isRound && { cutout: '62%' }),
      ...(!isRound && {
        scales: {
          x: {
            stacked: type === 'stacked',
            ticks: { color: text, maxRotation: 0, autoSkipPadding: 16 },
            grid: { display: false },
            border: { color: line },
          },
          y: {
            stacked: type === 'stacked',
            beginAtZero: true,
            ticks: { color: text, maxTicksLimit: 5, callback: (value) => write(unit, value) },
            grid: { color: line },
            border: { display: false },
          },
        },
      }),
      plugins: {
        legend: {
          display: isRound || series.length > 1,
          position: isRound ? 'right' : 'bottom',
          labels: {
            color: text,
            boxWidth: 10,
            boxHeight: 10,
            filter: (_item, _data) => _item.index === undefined || _item.index < TOP,
          },
        },
        tooltip: {
          callbacks: {
            label: (item) => ` ${isRound ? item.label : item.dataset.label}: ${write(unit, item.raw ?? 0)}`,
          },
        },
      },
    },
  })
  drawn.set(canvas, chart)
}

function drawCharts(root) {
  for (const [canvas, chart] of drawn) {
    if (canvas.isConnected) continue
    chart.destroy()
    drawn.delete(canvas)
  }
  for (const canvas of root.querySelectorAll('canvas[data-chart]')) if (!drawn.has(canvas)) draw(canvas)
}

globalThis.drawCharts = drawCharts
drawCharts(document)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const canvas of drawn.keys()) draw(canvas)
})

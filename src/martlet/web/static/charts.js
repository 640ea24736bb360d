// Draws what `data-chart` holds. Names come from data: they are drawn as text, never as markup.
(() => {
  "use strict";

  const drawn = new Map();
  const dashes = ["solid", "dashed", "dotted"];

  // A colour as the page shows it now: custom properties themselves do not tell light from dark.
  function colour(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function palette() {
    const names = ["ink", "quiet", "line", "surface"];
    const found = Object.fromEntries(names.map((name) => [name, colour(`--${name}`)]));
    found.series = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`--chart-${number}`));
    return found;
  }

  function writer(unit, compact) {
    const options = compact
      ? { notation: "compact", maximumFractionDigits: 1 }
      : { maximumFractionDigits: 2, minimumFractionDigits: unit.style === "money" ? 2 : 0 };
    if (unit.style === "percent") {
      options.style = "percent";
      options.maximumFractionDigits = compact ? 1 : 2;
    }
    const format = new Intl.NumberFormat("en", options);
    const after = unit.style === "times" ? "\u00d7" : "";
    return (value) => {
      if (value === null || value === undefined || Number.isNaN(value)) return "\u2013";
      const sign = value < 0 ? "\u2212" : "";
      return `${sign}${unit.prefix}${format.format(Math.abs(value))}${after}`;
    };
  }

  function options(chart, colours, narrow) {
    const isBars = chart.kind === "bars";
    const text = { color: colours.quiet, fontFamily: getComputedStyle(document.body).fontFamily };
    const names = {
      type: "category",
      data: chart.labels,
      inverse: isBars,
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { show: false },
      axisLabel: isBars
        ? { ...text, width: narrow ? 110 : 260, overflow: "truncate", interval: 0 }
        : { ...text, hideOverlap: true, showMaxLabel: true, alignMaxLabel: "right", alignMinLabel: "left" },
      boundaryGap: isBars,
    };
    const values = {
      type: "value",
      axisLabel: { ...text, formatter: writer(chart.unit, true), hideOverlap: true },
      splitLine: { lineStyle: { color: colours.line } },
      scale: false,
    };
    const several = chart.series.length > 1;
    return {
      animation: false,
      color: colours.series,
      textStyle: text,
      grid: { left: 8, right: 18, top: several ? 38 : 14, bottom: 6, containLabel: true },
      legend: several
        ? { type: "scroll", top: 0, left: 0, textStyle: { ...text, width: 190, overflow: "truncate" },
            pageTextStyle: text, icon: "rect", itemWidth: 16, itemHeight: 3, inactiveColor: colours.line }
        : undefined,
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        backgroundColor: colours.surface,
        borderColor: colours.line,
        textStyle: { ...text, color: colours.ink, fontSize: 13 },
        axisPointer: { type: isBars ? "shadow" : "line", lineStyle: { color: colours.quiet } },
        valueFormatter: writer(chart.unit, false),
      },
      xAxis: isBars ? values : names,
      yAxis: isBars ? names : values,
      series: chart.series.map((series, place) => ({
        name: series.name,
        type: isBars ? "bar" : "line",
        data: series.values,
        barMaxWidth: 22,
        showSymbol: series.values.filter((value) => value !== null).length < 2,
        symbolSize: 6,
        connectNulls: false,
        z: series.quiet ? 1 : 2,
        lineStyle: {
          width: series.quiet ? 1.5 : 2.25,
          type: series.quiet ? "dashed" : dashes[Math.floor(place / 8) % dashes.length],
        },
        itemStyle: { color: series.quiet ? colours.quiet : colours.series[place % 8] },
        emphasis: { focus: several ? "series" : "none" },
      })),
    };
  }

  function draw(place, colours) {
    const chart = JSON.parse(place.dataset.chart);
    let instance = drawn.get(place);
    if (!instance) {
      instance = echarts.init(place, null, { renderer: "canvas" });
      drawn.set(place, instance);
      resizes.observe(place);
    }
    instance.setOption(options(chart, colours, place.clientWidth < 520), true);
    place.dataset.drawn = "yes";
  }

  const resizes = new ResizeObserver((entries) => {
    for (const entry of entries) drawn.get(entry.target)?.resize();
  });

  function drawAll() {
    for (const [place, instance] of drawn) {
      if (!place.isConnected) {
        instance.dispose();
        resizes.unobserve(place);
        drawn.delete(place);
      }
    }
    const places = document.querySelectorAll("[data-chart]");
    if (!places.length) return;
    const colours = palette();
    for (const place of places) draw(place, colours);
  }

  document.addEventListener("htmx:after:swap", drawAll);
  document.addEventListener("martlet:scheme", drawAll);
  drawAll();
})();

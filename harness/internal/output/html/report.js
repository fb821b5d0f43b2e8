"use strict";
// The report reads well without this script: it only hides what is not asked for.
(() => {
  const filter = document.getElementById("filter");
  const text = document.getElementById("text");
  const status = document.getElementById("status");
  const severity = document.getElementById("severity");
  const targets = [...document.querySelectorAll(".target")].map((element) => ({
    element,
    words: element.textContent.toLowerCase(),
    name: element.querySelector("h2").textContent.toLowerCase(),
    findings: [...element.querySelectorAll(".finding")].map((finding) => ({
      element: finding,
      words: finding.textContent.toLowerCase(),
    })),
  }));

  function apply() {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const target of targets) {
      // Who asks for an app wants all of it; who asks for something else wants
      // the findings that say it.
      const narrowed = !target.name.includes(wanted) && target.findings.some((finding) => finding.words.includes(wanted));
      let matching = 0;
      for (const finding of target.findings) {
        const matches = (!severity.value || finding.element.dataset.severity === severity.value) &&
          (!narrowed || finding.words.includes(wanted));
        finding.element.hidden = !matches;
        matching += matches ? 1 : 0;
      }
      const matches = target.words.includes(wanted) &&
        (!status.value || target.element.dataset.status === status.value) &&
        (!severity.value || matching > 0);
      target.element.hidden = !matches;
      shown += matches ? 1 : 0;
    }
    document.getElementById("shown").textContent = `${shown} of ${targets.length} targets shown`;
    document.getElementById("nothing").hidden = shown > 0 || targets.length === 0;
  }

  filter.addEventListener("input", apply);
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.hidden = false;
  apply();
})();

package output

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/proompteng/nevermigrate/harness/internal/lane"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

var screenshots = flag.String("screenshots", "", "write pictures of the HTML report to this `folder`")

// browser is a Chromium with one page open, and what went wrong in it.
type browser struct {
	context.Context
	t  *testing.T
	mu sync.Mutex
	// troubles are errors and warnings of the console, and requests to anywhere.
	troubles []string
}

// open opens a page in a Chromium of its own. Without one on the path the test
// is skipped, but in CI it fails: there it must not go unnoticed.
func open(t *testing.T, page string) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no Chromium on the path")
		}
		t.Skip("no Chromium on the path: install the Debian package chromium")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()))
	for _, name := range []string{
		"no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(func() {
		// Wait for the browser to end, since it still writes to its folder.
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	})
	limited, cancelLimited := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancelLimited)
	b := &browser{Context: limited, t: t}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	err := chromedp.Listen(ctx, func(event any) {
		trouble := ""
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			trouble = e.ExceptionDetails.Text
		case *runtime.EventConsoleAPICalled:
			trouble = fmt.Sprintf("console.%s", e.Type)
		case *log.EventEntryAdded:
			trouble = e.Entry.Text
		case *network.EventRequestWillBeSent:
			if e.Request.URL != address {
				trouble = "request to " + e.Request.URL
			}
		}
		if trouble != "" {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.troubles = append(b.troubles, trouble)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(b, log.Enable, cdp.Empty{})
	call(b, network.Enable, network.EnableParams{})
	run(b, chromedp.Navigate(address))
	return b
}

// run runs an action in the page.
func run[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	result, err := chromedp.Run(b, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// call calls the browser.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b, command, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) prefer(scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// ask evaluates an expression in the page.
func ask[T any](b *browser, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression))
}

func (b *browser) expectNoTrouble() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.troubles) > 0 {
		b.t.Errorf("the browser complains:\n%s", strings.Join(b.troubles, "\n"))
	}
}

const (
	shownTargets  = `[...document.querySelectorAll(".target")].filter((e) => e.checkVisibility()).map((e) => e.querySelector("h2").textContent)`
	shownFindings = `[...document.querySelectorAll(".finding")].filter((e) => e.checkVisibility()).map((e) => e.querySelector("h3").textContent)`
)

func set(id, value string) string {
	return fmt.Sprintf(`{const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event("input", {bubbles: true}))}`, id, value)
}

func TestHTMLInBrowser(t *testing.T) {
	lane.Full(t)
	r := example()
	b := open(t, write(t, r, HTML, testOptions))

	// Everything is there, as it is and as text.
	body := ask[string](b, `document.body.textContent.replace(/\s+/g, " ")`)
	for _, target := range r.Targets {
		want := []string{target.Path}
		for _, f := range target.Findings {
			want = append(want, f.Code, f.Workload, f.Namespace, f.Container, f.Message, f.Remedy)
			for _, c := range append(slices.Clone(f.Causes), f.Overridden...) {
				want = append(want, causePlace(c), c.Path, c.Value, string(c.Layer))
			}
			if f.Fix != nil {
				want = append(want, f.Fix.Change)
			}
		}
		for _, w := range target.Workloads {
			want = append(want, w.Kind+"/"+w.Name, w.Namespace, w.Constraint)
		}
		for _, text := range want {
			if !strings.Contains(body, strings.TrimSpace(plaintext.Line(text))) {
				t.Errorf("the page of %q does not show %q", target.Path, text)
			}
		}
		if text := strings.Join(strings.Fields(plaintext.Lines(target.Error)), " "); !strings.Contains(body, text) {
			t.Errorf("the page of %q does not show the error %q", target.Path, text)
		}
	}
	if got := ask[int](b, `document.querySelectorAll("img, iframe, a:not(.rule), script:not(:last-of-type), .target script").length`); got != 0 {
		t.Errorf("%d elements come from names", got)
	}
	footer := ask[string](b, `document.querySelector("footer").textContent.replace(/\s+/g, " ")`)
	for _, text := range []string{"nevermigrate v1.2.3", "Policy 0.2.0 sha256:0123", "first in policy/constraint.yaml sha256:0123", "Configuration .nevermigrate.yaml sha256:0123", "Lock of charts nevermigrate.lock sha256:0123", "Commit checked out 0123"} {
		if !strings.Contains(strings.ReplaceAll(footer, " ", ""), strings.ReplaceAll(text, " ", "")) {
			t.Errorf("the footer does not show %q: %s", text, footer)
		}
	}
	if got := ask[[]string](b, `[...document.querySelectorAll("a.rule")].map((e) => e.getAttribute("href").split("/").pop())`); !slices.Contains(got, "CNM002.md") || slices.ContainsFunc(got, func(name string) bool { return !strings.HasPrefix(name, "CNM") }) {
		t.Errorf("links to rules %q", got)
	}
	if got := ask[string](b, `document.title`); got != "nevermigrate: error" {
		t.Errorf("title %q", got)
	}
	if got := ask[[]string](b, shownFindings); len(got) != 10 {
		t.Errorf("%d findings are shown, want 10: %q", len(got), got)
	}
	if got := ask[[]string](b, shownTargets); len(got) != len(r.Targets) {
		t.Errorf("%d targets are shown, want %d", len(got), len(r.Targets))
	}

	// The filter shows what is asked for.
	for _, test := range []struct {
		text, status, severity string
		targets                []string
		findings               int
	}{
		{"", "fail", "", []string{"apps/leak", "apps/several", plaintext.Line(r.Targets[5].Path), "constraints/elsewhere.yaml"}, 6},
		{"", "pass", "", []string{"apps/good", "apps/none", "apps/exempted", "-"}, 4},
		{"", "error", "", []string{"apps/broken"}, 0},
		{"", "", "dry run", []string{"apps/several", "apps/exempted"}, 2},
		{"", "", "warn", []string{"apps/several", "-"}, 2},
		{" KUSTOMIZATION.yaml:12 ", "", "", []string{"apps/leak"}, 1},
		{"cnm006", "", "", []string{"apps/several"}, 1},
		{"apps/several", "fail", "deny", []string{"apps/several"}, 1},
		{"no such thing", "", "", []string{}, 0},
		{"", "", "", nil, 10},
	} {
		ask[any](b, set("text", test.text)+set("status", test.status)+set("severity", test.severity)+"null")
		got := ask[[]string](b, shownTargets)
		if test.targets != nil && !slices.Equal(got, test.targets) {
			t.Errorf("%+v: the targets %q are shown", test, got)
		}
		if status := ask[string](b, `document.getElementById("shown").textContent`); status != fmt.Sprintf("%d of %d targets shown", len(got), len(r.Targets)) {
			t.Errorf("%+v: it says %q", test, status)
		}
		if empty := ask[bool](b, `document.getElementById("nothing").checkVisibility()`); empty != (len(got) == 0) {
			t.Errorf("%+v: that nothing matches is said: %v", test, empty)
		}
		if findings := ask[[]string](b, shownFindings); len(findings) != test.findings {
			t.Errorf("%+v: %d findings are shown: %q", test, len(findings), findings)
		}
	}
	b.expectNoTrouble()
}

// TestHTMLAllowsNothingElse: the content security policy stops what the escapes
// should never let through.
func TestHTMLAllowsNothingElse(t *testing.T) {
	lane.Full(t)
	page := write(t, example(), HTML, testOptions)
	b := open(t, strings.Replace(page, "<main>", `<main><script>document.title = "taken"</script><img src="http://127.0.0.1:9/x">`, 1))
	if got := ask[string](b, `document.title`); got != "nevermigrate: error" {
		t.Errorf("a script ran: title %q", got)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := strings.Join(b.troubles, "\n"); !strings.Contains(got, "Content Security Policy") {
		t.Errorf("the browser does not complain of a script: %s", got)
	}
}

// TestHTMLWithoutScript: what matters can be read where scripts are off.
func TestHTMLWithoutScript(t *testing.T) {
	lane.Full(t)
	b := open(t, write(t, example(), HTML, testOptions))
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	run(b, chromedp.Reload())
	if got := ask[[]string](b, shownFindings); len(got) != 10 {
		t.Errorf("%d findings are shown, want 10", len(got))
	}
	if ask[bool](b, `document.getElementById("filter").checkVisibility()`) {
		t.Error("a filter is shown that cannot work")
	}
	b.expectNoTrouble()
}

// contrast is the smallest contrast of a text with its ground, by WCAG 2.
const contrast = `(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  let worst = {ratio: 99, text: ""};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.tagName === "OPTION") continue;
    let ground = element;
    while (ground.parentElement && channels(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map((c) => luminance(channels(c)));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) worst = {ratio, text: element.textContent.slice(0, 40)};
  }
  return worst;
})()`

// TestHTMLLooks: on a narrow and a wide screen, light and dark, nothing
// overflows the page and every text can be told from its ground.
func TestHTMLLooks(t *testing.T) {
	lane.Full(t)
	b := open(t, write(t, example(), HTML, testOptions))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280} {
			run(b, chromedp.EmulateViewport(width, 900))
			b.prefer(scheme)
			if got := ask[int64](b, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("%s, %d wide: the page is %d wide", scheme, width, got)
			}
			worst := ask[struct {
				Ratio float64
				Text  string
			}](b, contrast)
			if worst.Ratio < 4.5 || worst.Ratio > 21 {
				t.Errorf("%s: %q has a contrast of %.1f, want at least 4.5", scheme, worst.Text, worst.Ratio)
			}
			if *screenshots != "" {
				picture := run(b, chromedp.FullScreenshot(100))
				name := filepath.Join(*screenshots, fmt.Sprintf("%s-%d.png", scheme, width))
				if err := os.WriteFile(name, picture, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	dark := ask[string](b, `getComputedStyle(document.body).backgroundColor`)
	b.prefer("light")
	if light := ask[string](b, `getComputedStyle(document.body).backgroundColor`); light == dark {
		t.Errorf("light and dark are both on %s", light)
	}
	b.expectNoTrouble()
}

// TestHTMLIsSelfContained: no address of anything to fetch.
func TestHTMLIsSelfContained(t *testing.T) {
	page := write(t, report.New([]report.Target{{Path: "a"}}), HTML, testOptions)
	for _, word := range []string{"http:", "https:", "src=", "href=", "@import", "url("} {
		if strings.Contains(page, word) {
			t.Errorf("the page holds %s", word)
		}
	}
	for _, source := range []string{htmlStyle, htmlScript} {
		if !strings.Contains(page, source) {
			t.Errorf("a source was changed on its way, so that its hash is wrong")
		}
	}
	if _, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(sourceHash("a"), "'sha256-"), "'")); err != nil {
		t.Error(err)
	}
}

package output

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/proompteng/nevermigrate/harness/report"
)

// renderMarkdown renders as GitHub would before it sanitises.
func renderMarkdown(t *testing.T, text string) string {
	t.Helper()
	var page bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := markdown.Convert([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

var tag = regexp.MustCompile(`</?([a-z0-9]+)[^>]*>`)

// TestMarkdownIsOnlyText renders what hostile names become: the page has the
// tags that this package writes, and no link but to the rule's page; every row has its
// five cells, and the names can be read as they are.
func TestMarkdownIsOnlyText(t *testing.T) {
	allowed := map[string]bool{}
	for _, name := range strings.Fields("h3 p strong em table thead tbody tr th td code details summary ul li br") {
		allowed[name] = true
	}
	hostile := []string{
		"a|b", `a\|b`, `a\\|b`, "`a`", "``a", "a`|`b", "<script>alert(1)</script>", "[x](http://x)", "![x](http://x)",
		"[x]: http://x", "http://example.com", "www.example.com", "a@example.com", "*a*", "_a_", "__a__", "~~a~~", "</code></td>|<b>",
		"</details>", "<!-- ", "--> ", "&lt;b&gt;", "&#60;b&#62;", "- a", "1. a", "# a", " a ", "\\", "\\`|`", "$x$", "<http://x>",
	}
	harmless := strings.Count(readMarkdown(markdownOf(t, "harmless")), "harmless")
	for _, text := range hostile {
		page := markdownOf(t, text)
		for _, match := range tag.FindAllStringSubmatch(page, -1) {
			if !allowed[match[1]] && match[0] != `<a href="`+report.PageOf("CNM002")+`">` && match[0] != "</a>" {
				t.Errorf("%q becomes the tag %s", text, match[0])
			}
		}
		for _, row := range strings.Split(page, "<tr>")[1:] {
			row, _, _ = strings.Cut(row, "</tr>")
			if cells := strings.Count(row, "<td>") + strings.Count(row, "<th>"); cells != 5 || strings.Contains(row, "<td></td>\n<td></td>\n<td></td>\n<td></td>") {
				t.Errorf("%q: a row has %d cells: %s", text, cells, row)
			}
		}
		if strings.Contains(page, "<em>") {
			t.Errorf("%q is emphasised", text)
		}
		if got := strings.Count(readMarkdown(page), strings.TrimSpace(text)); got < harmless {
			t.Errorf("%q can be read %d times, a harmless name %d times:\n%s", text, got, harmless, page)
		}
	}
}

// markdownOf is the page for a report in which everything has the same name.
func markdownOf(t *testing.T, text string) string {
	t.Helper()
	r := report.New([]report.Target{{Path: text, Workloads: []report.Workload{{Kind: "Pod", Namespace: text, Name: text, Role: report.Controllers, Constraint: text,
		Containers: []report.Container{{Name: text, Type: "container", Mode: report.Auto}}}},
		Findings: []report.Finding{{Code: "CNM002", Severity: report.Deny, Constraint: text, Workload: "Pod/" + text, Namespace: text, Container: text,
			Message: text, Remedy: text, Causes: []report.Cause{{File: text, Line: 1, Column: 1, Path: text, Value: text, Layer: report.Patch}},
			Fix: &report.Fix{File: text, Line: 1, Change: text}}}}, {Path: text, Error: text}})
	return renderMarkdown(t, write(t, r, Markdown, Options{}))
}

// readMarkdown is the text of a page, as a reader sees it.
func readMarkdown(page string) string {
	plain := tag.ReplaceAllString(strings.ReplaceAll(page, "<!-- -->", ""), "")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&").Replace(plain)
}

// TestMarkdownMentionsNobody: GitHub looks for names after rendering.
func TestMarkdownMentionsNobody(t *testing.T) {
	page := renderMarkdown(t, write(t, report.New([]report.Target{{Path: "a", Error: "ask @somebody about #12"}}), Markdown, Options{}))
	if strings.Contains(page, "@s") || strings.Contains(page, "#1") {
		t.Errorf("somebody is mentioned:\n%s", page)
	}
}

// TestMarkdownIsBounded: a report of any size fits into a comment, and says
// what it leaves out.
func TestMarkdownIsBounded(t *testing.T) {
	var targets []report.Target
	for i := range 2000 {
		targets = append(targets, report.Target{Path: fmt.Sprintf("apps/%d", i),
			Workloads: []report.Workload{{Kind: "Pod", Name: strings.Repeat("x", 300), Role: report.Controllers, Containers: []report.Container{{Name: "main", Mode: report.Auto}}}},
			Findings:  []report.Finding{{Code: "CNM002", Severity: report.Deny, Workload: "Pod/x", Message: strings.Repeat("|", 100_000)}}})
	}
	text := write(t, report.New(targets), Markdown, Options{})
	if len(text) > 65_536 {
		t.Errorf("%d bytes are more than a comment can hold", len(text))
	}
	for _, noun := range []string{"findings", "containers"} {
		if !regexp.MustCompile(`\nNot shown for want of room: [0-9]+ ` + noun).MatchString(text) {
			t.Errorf("it does not say how many %s it leaves out", noun)
		}
	}
}
